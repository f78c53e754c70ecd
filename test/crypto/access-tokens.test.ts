import { type JWK, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { type AccessTokens, createAccessTokens } from '../../src/crypto/access-tokens.ts';
import { newId } from '../../src/crypto/ids.ts';
import {
  generateSigningKey,
  importSigningKey,
  importVerificationKey,
  type SigningAlgorithm,
} from '../../src/crypto/signing-keys.ts';

const NOW = Date.UTC(2026, 10, 21, 3, 0, 0, 250);
const SECONDS = Math.floor(NOW / 1000);
const ISSUER = 'https://demo.accounts.test';
const userId = newId('usr', NOW);
const customerId = newId('cus', NOW);
const sessionId = newId('ses', NOW);

const CLAIMS = {
  userId,
  customerId,
  sessionId,
  provider: 'password',
  amr: ['pwd'],
  authenticatedAt: NOW - 90_000,
  issuedAt: NOW,
  lifetimeSeconds: 900,
};

const makeKeys = async (algorithm: SigningAlgorithm, kid: string) => {
  const { publicJwk, privateJwk } = await generateSigningKey(algorithm, kid);
  const current = await importSigningKey(kid, algorithm, privateJwk);
  const published = await importVerificationKey(kid, algorithm, publicJwk);
  return { current, published, publicJwk };
};

const makeTenant = async (algorithm: SigningAlgorithm) => {
  const tenantId = newId('ten', NOW);
  const key = await makeKeys(algorithm, `key-of-${algorithm}`);
  const clock = { now: NOW };
  const keys = { current: key.current, published: [key.published] };
  const tokens = createAccessTokens({ issuer: ISSUER, tenantId, keys, now: () => clock.now });
  const header = { alg: algorithm, kid: key.current.kid, typ: 'at+jwt' };
  const payload = {
    iss: ISSUER,
    aud: tenantId,
    sub: userId,
    cid: customerId,
    tid: tenantId,
    sid: sessionId,
    provider: 'password',
    amr: ['pwd'],
    auth_time: SECONDS - 90,
    iat: SECONDS,
    exp: SECONDS + 900,
    jti: newId('tok', NOW),
  };
  return { tenantId, ...key, keys, clock, tokens, header, payload };
};

const base64url = (bytes: Uint8Array) => bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
const encode = (text: string) => base64url(new TextEncoder().encode(text));
const fromBase64url = (text: string) => Uint8Array.fromBase64(text, { alphabet: 'base64url' });
const partsOf = (token: string): [string, string, string] => {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return [header, payload, signature];
};

/** A token of whatever JSON texts, properly signed with a P-256 key: what a confused signer would make. */
const signWithEs256 = async (key: CryptoKey, header: string, payload: string): Promise<string> => {
  const input = `${encode(header)}.${encode(payload)}`;
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  return `${input}.${base64url(new Uint8Array(await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(input))))}`;
};

const signWithHs256 = async (secret: Uint8Array, header: object, payload: object): Promise<string> => {
  const key = await crypto.subtle.importKey('raw', secret.slice(), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(payload))}`;
  return `${input}.${base64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(input))))}`;
};

const exportPem = async (publicJwk: JWK): Promise<{ der: Uint8Array<ArrayBuffer>; pem: string }> => {
  const { kty = '', crv = '', x = '', y = '' } = publicJwk;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, algorithm, true, ['verify']);
  const exported = await crypto.subtle.exportKey('spki', key);
  if (!(exported instanceof ArrayBuffer)) throw new Error('An SPKI is bytes');
  const der = new Uint8Array(exported);
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return { der, pem: `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n` };
};

const expectRefusal = async (tokens: AccessTokens, token: string) => expect(await tokens.verify(token)).toBeNull();

describe.each(['ES256', 'EdDSA', 'RS256'] as const)('with a key for %s', (algorithm) => {
  test('verifies what it signed', async () => {
    const { tokens } = await makeTenant(algorithm);
    expect(await tokens.verify(await tokens.sign(CLAIMS))).toEqual({
      userId,
      customerId,
      sessionId,
      provider: 'password',
      amr: ['pwd'],
      authenticatedAt: Math.floor((NOW - 90_000) / 1000) * 1000,
      issuedAt: NOW,
      expiresAt: (SECONDS + 900) * 1000,
      tokenId: expect.stringMatching(/^tok_/),
    });
  });

  test('writes the documented header and claims, and no others', async () => {
    const { tokens, tenantId, header } = await makeTenant(algorithm);
    const [signedHeader, signedPayload] = partsOf(await tokens.sign(CLAIMS)).map((part) =>
      new TextDecoder().decode(fromBase64url(part)),
    );
    expect(JSON.parse(signedHeader ?? '')).toEqual(header);
    expect(JSON.parse(signedPayload ?? '')).toEqual({
      iss: ISSUER,
      aud: tenantId,
      sub: userId,
      cid: customerId,
      tid: tenantId,
      sid: sessionId,
      provider: 'password',
      amr: ['pwd'],
      auth_time: SECONDS - 90,
      iat: SECONDS,
      exp: SECONDS + 900,
      jti: expect.stringMatching(/^tok_/),
    });
  });

  test('refuses a token altered in any part', async () => {
    const { tokens, payload } = await makeTenant(algorithm);
    const token = await tokens.sign(CLAIMS);
    const [header, , signature] = partsOf(token);
    const other = { ...payload, sub: newId('usr', NOW) };
    await expectRefusal(tokens, `${header}.${encode(JSON.stringify(other))}.${signature}`);
    const bytes = fromBase64url(signature);
    for (const index of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const altered = bytes.map((byte, i) => (i === index ? byte ^ 1 : byte));
      await expectRefusal(tokens, token.replace(signature, base64url(altered)));
    }
    await expectRefusal(tokens, token.replace(signature, base64url(new Uint8Array(bytes.length))));
  });

  test('refuses the token of another tenant, even one whose key has the same name', async () => {
    const [one, other] = await Promise.all([makeTenant(algorithm), makeTenant(algorithm)]);
    await expectRefusal(other.tokens, await one.tokens.sign(CLAIMS));
    // As if both tenants had the same key.
    const confused = createAccessTokens({
      issuer: ISSUER,
      tenantId: other.tenantId,
      keys: one.keys,
      now: () => NOW,
    });
    await expectRefusal(confused, await one.tokens.sign(CLAIMS));
  });
});

test('leaves out the session when there is none', async () => {
  const { tokens } = await makeTenant('ES256');
  const token = await tokens.sign({ ...CLAIMS, sessionId: null });
  expect((await tokens.verify(token))?.sessionId).toBeNull();
  expect(JSON.parse(new TextDecoder().decode(fromBase64url(partsOf(token)[1])))).not.toHaveProperty('sid');
});

test('takes tokens of a published key that no longer signs, and none of a key no longer published', async () => {
  const { tokens, tenantId, current, published } = await makeTenant('ES256');
  const token = await tokens.sign(CLAIMS);
  const next = await makeKeys('EdDSA', 'next');
  const from = (keys: (typeof published)[]) =>
    createAccessTokens({
      issuer: ISSUER,
      tenantId,
      keys: { current: next.current, published: keys },
      now: () => NOW,
    });
  expect(await from([next.published, published]).verify(token)).not.toBeNull();
  await expectRefusal(from([next.published]), token);
  await expectRefusal(from([]), token);
  expect(current.privateKey.extractable).toBe(false);
});

describe('the clock', () => {
  test.each([
    [-6, false],
    [-5, true],
    [0, true],
    [904, true],
    [905, false],
    [10_000, false],
  ])('%i seconds after the signing, a token for 900 is good: %s', async (seconds, isGood) => {
    const { tokens, clock } = await makeTenant('ES256');
    const token = await tokens.sign(CLAIMS);
    clock.now = NOW + seconds * 1000;
    expect((await tokens.verify(token)) !== null).toBe(isGood);
  });

  test('tells to the millisecond when a token was made', async () => {
    const { tokens } = await makeTenant('ES256');
    const earlier = await tokens.verify(await tokens.sign(CLAIMS));
    const later = await tokens.verify(await tokens.sign({ ...CLAIMS, issuedAt: NOW + 1 }));
    expect([earlier?.issuedAt, later?.issuedAt]).toEqual([NOW, NOW + 1]);
  });
});

describe('a token with the right signature', () => {
  test('is good as the control of what follows', async () => {
    const { tokens, current, header, payload } = await makeTenant('ES256');
    const token = await signWithEs256(current.privateKey, JSON.stringify(header), JSON.stringify(payload));
    expect(await tokens.verify(token)).not.toBeNull();
  });

  test.each([
    ['no alg', { alg: undefined }],
    ['alg none', { alg: 'none' }],
    ['alg None', { alg: 'None' }],
    ['alg nOnE', { alg: 'nOnE' }],
    ['alg null', { alg: null }],
    ['alg as a number', { alg: 256 }],
    ['alg as a list', { alg: ['ES256'] }],
    ['alg HS256', { alg: 'HS256' }],
    ['alg RS256', { alg: 'RS256' }],
    ['alg EdDSA', { alg: 'EdDSA' }],
    ['alg ES384', { alg: 'ES384' }],
    ['alg of a JWE', { alg: 'dir', enc: 'A256GCM' }],
    ['alg PBES2 with a huge p2c', { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'c2FsdA' }],
    ['no kid', { kid: undefined }],
    ['unknown kid', { kid: 'other' }],
    ['kid __proto__', { kid: '__proto__' }],
    ['kid as a path', { kid: '../../../dev/null' }],
    ['kid as a list', { kid: ['key-of-ES256'] }],
    ['kid of other case', { kid: 'KEY-OF-ES256' }],
    ['typ JWT', { typ: 'JWT' }],
    ['no typ', { typ: undefined }],
    ['typ of other case', { typ: 'AT+JWT' }],
    ['typ with its type', { typ: 'application/at+jwt' }],
    ['typ of a refresh token', { typ: 'rt+jwt' }],
    ['jku', { jku: 'https://attacker.test/jwks' }],
    ['x5u', { x5u: 'https://attacker.test/cert' }],
    ['x5c', { x5c: ['MIIB'] }],
    ['jwk', { jwk: { kty: 'EC' } }],
    ['cty', { cty: 'JWT' }],
    ['zip', { zip: 'DEF' }],
    ['unknown crit', { crit: ['http://example.test/unknown'], 'http://example.test/unknown': true }],
    ['crit of exp', { crit: ['exp'], exp: SECONDS + 900 }],
    ['crit of nothing', { crit: [] }],
    ['crit and b64', { crit: ['b64'], b64: false }],
    ['b64 that is true', { crit: ['b64'], b64: true }],
    ['exp in the header', { exp: SECONDS + 900 }],
  ])('is refused with the header: %s', async (_, members) => {
    const { tokens, current, header, payload } = await makeTenant('ES256');
    const altered = JSON.stringify({ ...header, ...members });
    await expectRefusal(tokens, await signWithEs256(current.privateKey, altered, JSON.stringify(payload)));
  });

  test.each([
    ['no iss', { iss: undefined }],
    ['other iss', { iss: 'https://other.accounts.test' }],
    ['iss with a slash', { iss: `${ISSUER}/` }],
    ['iss as a list', { iss: [ISSUER] }],
    ['no aud', { aud: undefined }],
    ['other aud', { aud: newId('ten', NOW) }],
    ['aud of nobody', { aud: [] }],
    ['no tid', { tid: undefined }],
    ['other tid', { tid: newId('ten', NOW) }],
    ['no sub', { sub: undefined }],
    ['sub of another kind', { sub: customerId }],
    ['sub as an object', { sub: { id: userId } }],
    ['no cid', { cid: undefined }],
    ['sid as a number', { sid: 1 }],
    ['no provider', { provider: undefined }],
    ['amr as a text', { amr: 'pwd' }],
    ['no auth_time', { auth_time: undefined }],
    ['no jti', { jti: undefined }],
    ['jti of another time', { jti: newId('tok', NOW + 60_000) }],
    ['no exp', { exp: undefined }],
    ['exp null', { exp: null }],
    ['exp 0', { exp: 0 }],
    ['exp negative', { exp: -1 }],
    ['exp as a text', { exp: '9999999999' }],
    ['exp in the past', { exp: SECONDS - 5 }],
    ['no iat', { iat: undefined }],
    ['iat in the future', { iat: SECONDS + 6, jti: newId('tok', NOW + 6000) }],
    ['iat as a text', { iat: String(SECONDS) }],
    ['nbf in the future', { nbf: SECONDS + 6 }],
    ['nbf as a text', { nbf: '0' }],
  ])('is refused with the claim: %s', async (_, members) => {
    const { tokens, current, header, payload } = await makeTenant('ES256');
    const altered = JSON.stringify({ ...payload, ...members });
    await expectRefusal(tokens, await signWithEs256(current.privateKey, JSON.stringify(header), altered));
  });

  test('is refused when this tenant is only one of its audiences', async () => {
    const { tokens, current, header, payload } = await makeTenant('ES256');
    const altered = JSON.stringify({ ...payload, aud: [payload.aud, 'other'] });
    await expectRefusal(tokens, await signWithEs256(current.privateKey, JSON.stringify(header), altered));
  });

  test.each([
    ['exp beyond all numbers', (json: string) => json.replace(/"exp":\d+/, '"exp":1e400')],
    ['exp that is no number', (json: string) => json.replace(/"exp":\d+/, '"exp":NaN')],
    ['a second exp, in the past', (json: string) => json.replace(/}$/, `,"exp":${SECONDS - 900}}`)],
    ['a second sub, of another kind', (json: string) => json.replace(/}$/, ',"sub":"admin"}')],
    ['a prototype', (json: string) => json.replace(/"exp":\d+/, `"__proto__":{"exp":${SECONDS + 900}}`)],
    ['a list', (json: string) => `[${json}]`],
    ['null', () => 'null'],
    ['a text', () => '"foo"'],
    ['nothing', () => ''],
    ['no JSON', () => 'foo'],
    ['deep nesting', (json: string) => json.replace(/"sid":"\w+"/, `"sid":${'['.repeat(900)}${']'.repeat(900)}`)],
  ])('is refused with the payload: %s', async (_, alter) => {
    const { tokens, current, header, payload } = await makeTenant('ES256');
    const altered = alter(JSON.stringify(payload));
    await expectRefusal(tokens, await signWithEs256(current.privateKey, JSON.stringify(header), altered));
  });
});

describe('a forged token', () => {
  test('without a signature is refused, whatever its alg', async () => {
    const { tokens, header, payload } = await makeTenant('ES256');
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'ES256', 'HS256']) {
      const input = `${encode(JSON.stringify({ ...header, alg }))}.${encode(JSON.stringify(payload))}`;
      await expectRefusal(tokens, `${input}.`);
      await expectRefusal(tokens, input);
      await expectRefusal(tokens, `${input}.AA`);
    }
  });

  test('is refused when it is signed by HS256 with any spelling of the public key', async () => {
    const { tokens, publicJwk, header, payload } = await makeTenant('ES256');
    const { der, pem } = await exportPem(publicJwk);
    const { kty, crv, x = '', y = '' } = publicJwk;
    const text = (secret: string) => new TextEncoder().encode(secret);
    const secrets = [
      text(pem),
      text(pem.trim()),
      der,
      text(JSON.stringify(publicJwk)),
      text(JSON.stringify({ crv, kty, x, y })),
      text(x),
      fromBase64url(x),
      new Uint8Array([4, ...fromBase64url(x), ...fromBase64url(y)]),
      text(header.kid),
      text('secret'),
    ];
    for (const secret of secrets) {
      await expectRefusal(tokens, await signWithHs256(secret, { ...header, alg: 'HS256' }, payload));
      await expectRefusal(tokens, await signWithHs256(secret, header, payload));
    }
  });

  test('is refused when it brings its own key', async () => {
    const { tokens, header, payload } = await makeTenant('ES256');
    const attacker = await makeKeys('ES256', header.kid);
    const headers = [
      header,
      { ...header, jwk: attacker.publicJwk },
      { ...header, kid: undefined, jwk: attacker.publicJwk },
      { ...header, jku: 'https://attacker.test/jwks', x5u: 'https://attacker.test/cert' },
    ];
    for (const altered of headers) {
      const token = signWithEs256(attacker.current.privateKey, JSON.stringify(altered), JSON.stringify(payload));
      await expectRefusal(tokens, await token);
    }
  });

  test('is refused when it names a key of ours for another algorithm', async () => {
    const ours = await makeTenant('ES256');
    const other = await makeKeys('RS256', 'rsa');
    const tokens = createAccessTokens({
      issuer: ISSUER,
      tenantId: ours.tenantId,
      keys: { current: ours.current, published: [ours.published, other.published] },
      now: () => NOW,
    });
    const signed = (alg: SigningAlgorithm, kid: string, key: CryptoKey) =>
      new SignJWT(ours.payload).setProtectedHeader({ alg, kid, typ: 'at+jwt' }).sign(key);
    expect(await tokens.verify(await signed('RS256', 'rsa', other.current.privateKey))).not.toBeNull();
    await expectRefusal(tokens, await signed('RS256', ours.header.kid, other.current.privateKey));
    await expectRefusal(tokens, await signed('ES256', 'rsa', ours.current.privateKey));
  });

  test('is refused when its RSA signature is of another scheme', async () => {
    const { tokens, header, payload } = await makeTenant('RS256');
    const usages: ('sign' | 'verify')[] = ['sign', 'verify'];
    const parameters = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
    const pair = await crypto.subtle.generateKey({ name: 'RSA-PSS', ...parameters }, true, usages);
    if (!('privateKey' in pair)) throw new Error('RSA keys come in pairs');
    for (const alg of ['PS256', 'RS256']) {
      const input = `${encode(JSON.stringify({ ...header, alg }))}.${encode(JSON.stringify(payload))}`;
      const algorithm = { name: 'RSA-PSS', saltLength: 32 };
      const signature = await crypto.subtle.sign(algorithm, pair.privateKey, new TextEncoder().encode(input));
      await expectRefusal(tokens, `${input}.${base64url(new Uint8Array(signature))}`);
    }
  });
});

describe('an ECDSA signature', () => {
  // The order of P-256.
  const N = Uint8Array.fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const ZERO = new Uint8Array(32);
  const ONE = new Uint8Array(32).with(31, 1);
  const toInteger = (bytes: Uint8Array): number[] => {
    const firstDigit = bytes.findIndex((byte) => byte !== 0);
    const digits = [...bytes.slice(firstDigit)];
    const unsigned = (digits[0] ?? 0) > 127 ? [0, ...digits] : digits;
    return [2, unsigned.length, ...unsigned];
  };
  const toDer = (r: Uint8Array, s: Uint8Array) => {
    const integers = [...toInteger(r), ...toInteger(s)];
    return [0x30, integers.length, ...integers];
  };

  test.each<[string, (r: Uint8Array, s: Uint8Array) => number[]]>([
    ['is DER', toDer],
    ['is DER, padded to 64 bytes', (r, s) => toDer(r, s).slice(0, 64)],
    ['has r = s = 0', () => [...ZERO, ...ZERO]],
    ['has r = 0', (_, s) => [...ZERO, ...s]],
    ['has s = 0', (r) => [...r, ...ZERO]],
    ['has r = s = 1', () => [...ONE, ...ONE]],
    ['has r = s = n', () => [...N, ...N]],
    ['has r = n', (_, s) => [...N, ...s]],
    ['has s = n', (r) => [...r, ...N]],
    ['has r = n, s = 0', () => [...N, ...ZERO]],
    ['has only ones', () => new Array<number>(64).fill(255)],
    ['has r and s swapped', (r, s) => [...s, ...r]],
    ['is one byte short', (r, s) => [...r, ...s.slice(0, 31)]],
    ['is one byte long', (r, s) => [...r, ...s, 0]],
    ['has a byte before it', (r, s) => [0, ...r, ...s]],
    ['has both halves padded', (r, s) => [0, ...r, 0, ...s]],
    ['is r only', (r) => [...r]],
    ['is there twice', (r, s) => [...r, ...s, ...r, ...s]],
    ['is of the size of P-384', (r, s) => [...new Uint8Array(16), ...r, ...new Uint8Array(16), ...s]],
    ['is empty', () => []],
  ])('is refused when it %s', async (_, alter) => {
    const { tokens } = await makeTenant('ES256');
    const token = await tokens.sign(CLAIMS);
    const signature = fromBase64url(partsOf(token)[2]);
    const altered = alter(signature.slice(0, 32), signature.slice(32));
    await expectRefusal(tokens, token.replace(/[^.]*$/, base64url(new Uint8Array(altered))));
  });
});

describe('the spelling of a token', () => {
  test('is refused with parts missing, added or cut short', async () => {
    const { tokens } = await makeTenant('ES256');
    const token = await tokens.sign(CLAIMS);
    const [header, payload, signature] = partsOf(token);
    const json = JSON.stringify({ protected: header, payload, signature });
    const spellings = [
      '',
      '.',
      '..',
      '...',
      header,
      `${header}.${payload}`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      `${token}.`,
      `.${token}`,
      `${token}.${signature}`,
      `${token}..`,
      `${header}.${payload}.${signature}.${payload}.${signature}`,
      json,
      encode(json),
      ...[1, 2, 3, 4, 10, 43, 86, 87].map((count) => token.slice(0, -count)),
      `Bearer ${token}`,
    ];
    for (const spelling of spellings) await expectRefusal(tokens, spelling);
  });

  test('is refused in base 64 that is not the one of JWTs', async () => {
    const { tokens } = await makeTenant('ES256');
    const token = await tokens.sign(CLAIMS);
    const [header, payload, signature] = partsOf(token);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes leave four bits of the last character without a meaning.
    const sibling = alphabet[alphabet.indexOf(signature.at(-1) ?? '') + 1];
    const spellings = [
      `${token}==`,
      `${token}=`,
      `${token} `,
      ` ${token}`,
      `${token}\n`,
      `${header}.${payload}\n.${signature}`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, 40)} ${signature.slice(40)}`,
      `${header}.${payload}.${signature.slice(0, -1)}${sibling}`,
      `${header}.${payload}.+/${signature.slice(2)}`,
      `${token}\0`,
      token.replaceAll('.', '。'),
    ];
    for (const spelling of spellings) await expectRefusal(tokens, spelling);
  });

  test('is refused when it is huge, without being looked at', async () => {
    const { tokens, current, header, payload } = await makeTenant('ES256');
    const padded = JSON.stringify({ ...payload, padding: 'x'.repeat(4096) });
    await expectRefusal(tokens, await signWithEs256(current.privateKey, JSON.stringify(header), padded));
    await expectRefusal(tokens, 'A'.repeat(10_000_000));
    await expectRefusal(tokens, '.'.repeat(10_000_000));
  });

  test('leaves room for the longest names', async () => {
    const { tokens } = await makeTenant('RS256');
    const token = await tokens.sign({ ...CLAIMS, provider: 'p'.repeat(256) });
    expect(token.length).toBeLessThan(2048);
    expect(await tokens.verify(token)).not.toBeNull();
  });
});
