import * as z from 'zod';
import { isWebhookSecret } from '../../services.ts';

/** A secret of Standard Webhooks. */
export const webhookSecret = z.string().max(200).refine(isWebhookSecret, 'must be whsec_ and 24 to 64 bytes in base64');
