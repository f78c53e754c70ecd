/** A message that its receiver can check: a POST's body and headers. */
export type SignedMessage = { body: string; headers: Record<string, string> };

const PREFIX = 'whsec_';

/**
 * Signs a message as Standard Webhooks has it ("Signature scheme", symmetric): HMAC-SHA-256 over the id, the time and the
 * body, once with each secret. Throws when one of them is no secret.
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

/** The secret that these bytes make. */
export const writeSecret = (bytes: Uint8Array): string => `${PREFIX}${bytes.toBase64()}`;

/** Whether it is a secret: `whsec_` and base64 of 24 to 64 bytes. */
export const isSecret = (secret: string): boolean => bytesOf(secret) !== null;

const sign = async (content: string, secret: string): Promise<string> => {
  const bytes = bytesOf(secret);
  if (!bytes) throw new Error('A webhook secret has another form');
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign']);
  const signature = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(content));
  return `v1,${new Uint8Array(signature).toBase64()}`;
};

const bytesOf = (secret: string): Uint8Array<ArrayBuffer> | null => {
  if (!secret.startsWith(PREFIX)) return null;
  try {
    const bytes = Uint8Array.fromBase64(secret.slice(PREFIX.length));
    return bytes.byteLength >= 24 && bytes.byteLength <= 64 ? bytes : null;
  } catch {
    return null;
  }
};
