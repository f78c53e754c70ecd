import * as z from 'zod';
import { text } from '../../fields.ts';
import { isSendable } from '../../profile-fields.ts';
import { profileDefaults } from '../profile-defaults.ts';

/** What is required and nobody can send would have every account refused. */
const sendable = text(100).refine(isSendable, 'is no member that can be sent');

const step = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('challenge'), channel: z.enum(['email', 'sms']).nullable().default(null) }),
  z.strictObject({ kind: z.literal('send_activation') }),
  z.strictObject({
    kind: z.literal('subscribe'),
    subscriptions: z.array(text(100)).max(100).nullable().default(null),
  }),
  z.strictObject({ kind: z.literal('notify'), name: text(100).nullable().default(null) }),
  z.strictObject({ kind: z.literal('set'), members: profileDefaults }),
  z.strictObject({ kind: z.literal('require'), members: z.array(sendable).min(1).max(50) }),
]);

/** The body of `PUT …/flows/:name`. */
export const flowProfile = z.strictObject({ steps: z.array(step).min(1).max(20) }).meta({ id: 'FlowProfile' });

export const flowObject = z
  .strictObject({ name: z.string(), steps: z.array(z.looseObject({ kind: z.string() })) })
  .meta({ id: 'Flow' });
