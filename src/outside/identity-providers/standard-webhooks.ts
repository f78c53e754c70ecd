/** A message that its receiver can check: a POST's body and headers. */
export type SignedMessage = { body: string; headers: Record<string, string> };

const PREFIX = 'whsec_';

/**
 * Signs a message as Standard Webhooks has it ("Signature scheme", symmetric): HMAC-SHA-256 over the id, the time and the
 * body. The secret is `whsec_` and base64 of at least 24 bytes. Throws when it is not.
 */
export const signMessage = async (
  body: string,
  { id, secret, now }: { id: string; secret: string; now: number },
): Promise<SignedMessage> => {
  const timestamp = Math.floor(now / 1000).toString();
  const key = await crypto.subtle.importKey('raw', readSecret(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(`${id}.${timestamp}.${body}`));
  return {
    body,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${new Uint8Array(signature).toBase64()}`,
    },
  };
};

const readSecret = (secret: string): Uint8Array<ArrayBuffer> => {
  if (!secret.startsWith(PREFIX)) throw new Error('A webhook secret has another form');
  const bytes = Uint8Array.fromBase64(secret.slice(PREFIX.length));
  if (bytes.byteLength < 24) throw new Error('A webhook secret is too short');
  return bytes;
};
