import * as z from 'zod';
import { signMessage } from '../webhooks/standard-webhooks.ts';
import type { CheckContext } from './check-context.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import { readSubject } from './identity-tokens.ts';
import type { Asserted } from './openid-checks.ts';
import { during, ProviderRefused, ValueRefused } from './refusals.ts';

/** `secret`: what the endpoint knows that it is us by, in the form of Standard Webhooks. */
export type CustomHttpProvider = { url: string; secret: string };

const text = z.string().min(1).max(254).nullable().default(null);

const answerSchema = z.object({
  subject: z.string(),
  email: text,
  email_verified: z.boolean().default(false),
  name: text,
  given_name: text,
  family_name: text,
});

/**
 * A tenant's own endpoint, which is told what the caller sent, in a message signed as Standard Webhooks has it. It answers
 * 200 and who that is, 4xx when it is nobody. It has to refuse messages whose time is past, or anybody could repeat them.
 */
export const checkCustomHttp = async (
  { url, secret }: CustomHttpProvider,
  credentials: ProviderCredentials,
  { fetch, randomToken, now }: CheckContext,
): Promise<Asserted> => {
  const data = await during('credentials', () => {
    if (credentials.kind !== 'data') throw new ValueRefused('kind');
    return credentials.data;
  });
  return during('endpoint', async () => {
    const message = await signMessage(JSON.stringify(data), {
      id: `msg_${randomToken()}`,
      secrets: [secret],
      now: now(),
    });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...message.headers },
      body: message.body,
    });
    if (response.status !== 200) throw new ProviderRefused();
    const answer = answerSchema.parse(await response.json());
    return {
      kind: 'asserted',
      assertion: {
        subject: readSubject(answer.subject),
        email: answer.email,
        isEmailVerified: answer.email !== null && answer.email_verified,
        name: answer.name,
        givenName: answer.given_name,
        familyName: answer.family_name,
      },
      amr: [],
      expiresAt: null,
    };
  });
};
