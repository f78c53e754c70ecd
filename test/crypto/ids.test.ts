import { describe, expect, it } from 'vitest';
import { isId, newCredentialKey, newId, tenantOfCredentialKey } from '../../src/crypto/ids.ts';

const NOW = 1_700_000_000_000;

describe('an id', () => {
  it('tells what it is of', () => {
    const id = newId('cus', NOW);
    expect(isId('cus', id)).toBe(true);
    expect(isId('usr', id)).toBe(false);
  });

  it.each(['', 'cus_', 'cus_1', `cus_${'0'.repeat(27)}`, `cus_${'i'.repeat(26)}`, `CUS_${'0'.repeat(26)}`])(
    'is not %j',
    (text) => {
      expect(isId('cus', text)).toBe(false);
    },
  );

  it('has nothing before or after it', () => {
    const id = newId('cus', NOW);
    for (const text of [`${id}\n`, ` ${id}`, `${id}' or 1=1`]) expect(isId('cus', text)).toBe(false);
  });
});

describe('a credential key', () => {
  it('names its tenant and its kind', () => {
    const tenant = newId('ten', NOW);
    const key = newCredentialKey('sk', tenant);
    expect(tenantOfCredentialKey('sk', key)).toBe(tenant);
    expect(tenantOfCredentialKey('ck', key)).toBeNull();
    expect(newCredentialKey('sk', tenant)).not.toBe(key);
  });

  it.each(['', 'sk', 'sk__', 'sk_1_2', `sk_${'0'.repeat(26)}_short`, `sk_${'0'.repeat(26)}_${'a'.repeat(23)}`])(
    'is not %j',
    (text) => {
      expect(tenantOfCredentialKey('sk', text)).toBeNull();
    },
  );
});
