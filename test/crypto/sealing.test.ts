import { describe, expect, it } from 'vitest';
import { deriveMasterKeys } from '../../src/crypto/master-key.ts';

const MASTER_KEY = new Uint8Array(32).fill(7).toBase64();

const newSealer = async (tenantId = 'ten_one') => {
  const keys = await deriveMasterKeys(MASTER_KEY);
  const sealedDataKey = await keys.newSealedDataKey(tenantId);
  return { keys, sealedDataKey, sealer: await keys.openDataKey(sealedDataKey, tenantId) };
};

describe('a sealed value', () => {
  it.each(['', 'a secret', 'Grüße 🗝️', 'x'.repeat(100_000)])('opens to what it was', async (plaintext) => {
    const { sealer } = await newSealer();
    expect(await sealer.open(await sealer.seal(plaintext, 'here'), 'here')).toBe(plaintext);
  });

  it('shows nothing of it, and is never twice the same', async () => {
    const { sealer } = await newSealer();
    const [one, other] = [await sealer.seal('a secret', 'here'), await sealer.seal('a secret', 'here')];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^v1\.[\w-]+$/);
    expect(atob(one.slice(3).replaceAll('-', '+').replaceAll('_', '/'))).not.toContain('a secret');
  });

  it('opens in no other place than it was sealed for', async () => {
    const { sealer } = await newSealer();
    const sealed = await sealer.seal('a secret', 'signing key 1');
    await expect(sealer.open(sealed, 'signing key 2')).rejects.toThrow();
  });

  it('does not open when a single bit of it was changed, or a part is missing', async () => {
    const { sealer } = await newSealer();
    const sealed = await sealer.seal('a secret', 'here');
    const bytes = Uint8Array.fromBase64(sealed.slice(3), { alphabet: 'base64url' });
    for (let place = 0; place < bytes.length; place++) {
      const changed = bytes.map((byte, i) => (i === place ? byte ^ 1 : byte));
      await expect(sealer.open(`v1.${changed.toBase64({ alphabet: 'base64url' })}`, 'here')).rejects.toThrow();
    }
    for (const cut of [
      '',
      'v1.',
      sealed.slice(0, 20),
      sealed.slice(0, -4),
      sealed.slice(3),
      sealed.replace('v1', 'v2'),
    ]) {
      await expect(sealer.open(cut, 'here')).rejects.toThrow();
    }
  });

  it('does not open with another tenant’s key', async () => {
    const [one, other] = [await newSealer(), await newSealer('ten_two')];
    const sealed = await one.sealer.seal('a secret', 'here');
    await expect(other.sealer.open(sealed, 'here')).rejects.toThrow();
  });
});

describe('a tenant’s data key', () => {
  it('is of use for its own tenant alone', async () => {
    const { keys, sealedDataKey } = await newSealer();
    await expect(keys.openDataKey(sealedDataKey, 'ten_two')).rejects.toThrow();
  });

  it('opens under the master key alone that sealed it', async () => {
    const { sealedDataKey } = await newSealer();
    const other = await deriveMasterKeys(new Uint8Array(32).fill(8).toBase64());
    await expect(other.openDataKey(sealedDataKey, 'ten_one')).rejects.toThrow();
  });

  it('opens after a restart, with all that it sealed', async () => {
    const { sealedDataKey, sealer } = await newSealer();
    const sealed = await sealer.seal('a secret', 'here');
    const restarted = await (await deriveMasterKeys(MASTER_KEY)).openDataKey(sealedDataKey, 'ten_one');
    expect(await restarted.open(sealed, 'here')).toBe('a secret');
  });
});
