import * as z from 'zod';

const isWebhookSecret = (typed: string): boolean => {
  if (!typed.startsWith('whsec_')) return false;
  try {
    const { byteLength } = Uint8Array.fromBase64(typed.slice('whsec_'.length));
    return byteLength >= 24 && byteLength <= 64;
  } catch {
    return false;
  }
};

/** A secret of Standard Webhooks. */
export const webhookSecret = z.string().max(200).refine(isWebhookSecret, 'must be whsec_ and 24 to 64 bytes in base64');
