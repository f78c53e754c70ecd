/** A message that its receiver can check: a POST's body and headers. */
export type SignedMessage = { body: string; headers: Record<string, string> };

const PREFIX = 'whsec_';

/**
 * Signs a message as Standard Webhooks has it ("Signature scheme", symmetric): HMAC-SHA-256 over the id, the time and the
 * body, once with each secret. A secret is `whsec_` and base64 of at least 24 bytes. Throws when it is not.
 */
export const signMessage = async (
  body: string,
  { id, secrets, now }: { id: string; secrets: readonly string[]; now: number },
): Promise<SignedMessage> => {
  const timestamp = Math.floor(now / 1000).toString();
  const signatures = await Promise.all(secrets.map((secret) => sign(`${id}.${timestamp}.${body}`, secret)));
  return {
    body,
    headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') },
  };
};

const sign = async (content: string, secret: string): Promise<string> => {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', readSecret(secret), algorithm, false, ['sign']);
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(content));
  return `v1,${new Uint8Array(signature).toBase64()}`;
};

const readSecret = (secret: string): Uint8Array<ArrayBuffer> => {
  if (!secret.startsWith(PREFIX)) throw new Error('A webhook secret has another form');
  const bytes = Uint8Array.fromBase64(secret.slice(PREFIX.length));
  if (bytes.byteLength < 24) throw new Error('A webhook secret is too short');
  return bytes;
};
