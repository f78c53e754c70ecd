import { env } from 'cloudflare:workers';
import type { JWK } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { newId } from '../../src/crypto/ids.ts';
import { deriveMasterKeys } from '../../src/crypto/master-key.ts';
import { generateSigningKey } from '../../src/crypto/signing-keys.ts';
import { bearerHeaders, newPerson, newSignedInWorld, signIn } from '../support/accounts.ts';
import { lastMailTo } from '../support/mailbox.ts';
import { createService, type Service } from '../support/service.ts';
import {
  type AppPair,
  appHeaders,
  type CustomerPair,
  customerHeaders,
  newCustomer,
  operatorHeaders,
  refusalOf,
  type TestTenant,
} from '../support/tenants.ts';

type Members = Record<string, unknown>;

const encoder = new TextEncoder();
const base64url = (bytes: Uint8Array) => bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
const fromBase64url = (text: string) => Uint8Array.fromBase64(text, { alphabet: 'base64url' });
const encode = (json: unknown) => base64url(encoder.encode(JSON.stringify(json)));

const decode = (part: string): Members => {
  const members: Members = JSON.parse(new TextDecoder().decode(fromBase64url(part)));
  return members;
};

const partsOf = (token: string): [string, string, string] => {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return [header, payload, signature];
};

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const importP256 = ({ kty = '', crv = '', x = '', y = '', d = '' }: JWK): Promise<CryptoKey> =>
  crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, ECDSA, false, ['sign']);

/** The key that the tenant's tokens are signed with, opened as only who has the master key can. */
const openSigningKey = async (tenantId: string) => {
  const [tenants, keys] = await env.DB.batch<{ kid: string; sealed: string; publicJwk: string }>([
    env.DB.prepare('select sealed_data_key as sealed from tenants where id = ?').bind(tenantId),
    env.DB.prepare(
      `select kid, sealed_private_jwk as sealed, public_jwk as publicJwk from signing_keys
        where tenant_id = ? and state = 'current'`,
    ).bind(tenantId),
  ]);
  const [tenant, row] = [tenants?.results[0], keys?.results[0]];
  if (!tenant || !row) throw new Error(`${tenantId} has no signing key`);
  const sealer = await (await deriveMasterKeys(env.MASTER_KEY)).openDataKey(tenant.sealed, tenantId);
  const privateJwk: JWK = JSON.parse(await sealer.open(row.sealed, `signing key ${row.kid}`));
  const publicJwk: JWK = JSON.parse(row.publicJwk);
  return { kid: row.kid, publicJwk, privateKey: await importP256(privateJwk) };
};

const signTextsWithEs256 = async (key: CryptoKey, header: string, payload: string): Promise<string> => {
  const input = `${base64url(encoder.encode(header))}.${base64url(encoder.encode(payload))}`;
  return `${input}.${base64url(new Uint8Array(await crypto.subtle.sign(ECDSA, key, encoder.encode(input))))}`;
};

const signWithEs256 = (key: CryptoKey, header: Members, payload: Members): Promise<string> =>
  signTextsWithEs256(key, JSON.stringify(header), JSON.stringify(payload));

const signWithHs256 = async (secret: Uint8Array, header: Members, payload: Members): Promise<string> => {
  const key = await crypto.subtle.importKey('raw', secret.slice(), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${base64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(input))))}`;
};

/** The spellings of a P-256 key that a confused verifier could take for a shared secret. */
const spellingsOf = async (publicJwk: JWK): Promise<Uint8Array[]> => {
  const { kty = '', crv = '', x = '', y = '', kid = '' } = publicJwk;
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, ECDSA, true, ['verify']);
  const exported = await crypto.subtle.exportKey('spki', key);
  if (!(exported instanceof ArrayBuffer)) throw new Error('An SPKI is bytes');
  const der = new Uint8Array(exported);
  const pem = `-----BEGIN PUBLIC KEY-----\n${(der.toBase64().match(/.{1,64}/g) ?? []).join('\n')}\n-----END PUBLIC KEY-----\n`;
  const texts = [pem, pem.trim(), JSON.stringify(publicJwk), JSON.stringify({ crv, kty, x, y }), x, kid, 'secret'];
  return [der, fromBase64url(x), ...texts.map((text) => encoder.encode(text))];
};

/** Calls that need an access token. A good one deletes the account with the second. */
const ROUTES = [
  ['GET', '/customers/self'],
  ['DELETE', '/customers/self'],
] as const;

const expectUnauthenticated = async (response: Response, what: string): Promise<void> => {
  expect([what, await refusalOf(response)]).toMatchObject([what, { status: 401, code: 'unauthenticated' }]);
  expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
};

const readSelf = (service: Service, tenant: TestTenant, token: string) =>
  service.call('GET', `${tenant.host}/customers/self`, { headers: bearerHeaders(token) });

/** A signed-in person, and whoever can sign with the tenant's own key what is no token of this person. */
const newTarget = async () => {
  const service = createService();
  const world = await newSignedInWorld(service);
  const { tenant, token } = world;
  const key = await openSigningKey(tenant.id);
  const [header, payload] = partsOf(token).slice(0, 2).map(decode);
  if (!header || !payload) throw new Error('A token has two parts to read');

  const refusesHeaders = async (headers: Record<string, string>, what = JSON.stringify(headers)) => {
    for (const [method, path] of ROUTES) {
      await expectUnauthenticated(await service.call(method, `${tenant.host}${path}`, { headers }), what);
    }
    expect((await readSelf(service, tenant, token)).status).toBe(200);
  };
  const accepts = async (presented: string): Promise<void> => {
    expect((await readSelf(service, tenant, presented)).status).toBe(200);
  };
  // Signed anew and otherwise as it was: what follows differs in one thing only.
  await accepts(await signWithEs256(key.privateKey, header, payload));
  return {
    ...world,
    service,
    key,
    header,
    payload,
    nowSeconds: Math.floor(service.clock.now() / 1000),
    signWith: (header_: Members, payload_: Members) => signWithEs256(key.privateKey, header_, payload_),
    accepts,
    refusesHeaders,
    /** Fails unless the token is refused, and the person still there. */
    refuses: (presented: string, what = presented.slice(0, 200)) => refusesHeaders(bearerHeaders(presented), what),
  };
};

describe('a route that needs an access token', () => {
  it('takes it as Bearer, in any case', async () => {
    const { service, tenant, token } = await newTarget();
    for (const authorization of [`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`]) {
      const headers = { Authorization: authorization };
      const response = await service.call('GET', `${tenant.host}/customers/self`, { headers });
      expect(response.status).toBe(200);
      expect(response.headers.get('Cache-Control')).toBe('no-store');
    }
  });

  it('refuses a call without one, and one that is written otherwise', async () => {
    const { refusesHeaders, token } = await newTarget();
    for (const authorization of [
      '',
      token,
      'Bearer',
      'Bearer ',
      'Bearer null',
      `Bearer${token}`,
      `Bearer:${token}`,
      `Bearer\t${token}`,
      `Bearer ${token},`,
      `Bearer ${token} ${token}`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer "${token}"`,
      `Bearer token="${token}"`,
      `Bearer Bearer ${token}`,
      `Basic ${token}`,
      `Basic ${btoa(`token:${token}`)}`,
      `Token ${token}`,
      `JWT ${token}`,
      `DPoP ${token}`,
    ]) {
      await refusesHeaders({ Authorization: authorization });
    }
    await refusesHeaders({});
  });

  it('looks for it nowhere else', async () => {
    const { service, tenant, refusesHeaders, token } = await newTarget();
    for (const name of ['Cookie', 'x-access-token', 'Proxy-Authorization', 'X-Authorization', 'access_token']) {
      const value = name === 'Cookie' ? `token=${token}; access_token=${token}` : token;
      await refusesHeaders({ [name]: value });
      await refusesHeaders({ [name]: `Bearer ${token}` });
    }
    for (const name of ['access_token', 'token', 'authorization', 'Authorization', 'bearer']) {
      const query = new URLSearchParams({ [name]: token });
      const inQuery = await service.call('GET', `${tenant.host}/customers/self?${query}`);
      await expectUnauthenticated(inQuery, `${name} in the query`);
      const inBody = await service.call('PATCH', `${tenant.host}/customers/self`, { body: { [name]: token } });
      await expectUnauthenticated(inBody, `${name} in the body`);
    }
  });
});

describe('an access token', () => {
  it('is refused with another alg', async () => {
    const { refuses, signWith, header, payload } = await newTarget();
    const others = [
      'none',
      'None',
      'NONE',
      'nOnE',
      '',
      null,
      256,
      ['ES256'],
      'HS256',
      'RS256',
      'EdDSA',
      'ES384',
      'dir',
    ];
    for (const alg of others) {
      const altered = { ...header, alg };
      const signed = await signWith(altered, payload);
      await refuses(signed, `alg ${alg}, signed`);
      await refuses(`${encode(altered)}.${encode(payload)}.`, `alg ${alg}, not signed`);
      await refuses(`${encode(altered)}.${encode(payload)}`, `alg ${alg}, of two parts`);
      await refuses(`${encode(altered)}.${encode(payload)}.AA`, `alg ${alg}, with a short signature`);
    }
    const { alg: _, ...rest } = header;
    await refuses(await signWith(rest, payload), 'no alg');
  });

  it('is refused with the public key as a shared secret', async () => {
    const { refuses, key, header, payload } = await newTarget();
    for (const [i, secret] of (await spellingsOf(key.publicJwk)).entries()) {
      await refuses(await signWithHs256(secret, { ...header, alg: 'HS256' }, payload), `HS256, spelling ${i}`);
      await refuses(await signWithHs256(secret, header, payload), `ES256 that is HS256, spelling ${i}`);
    }
  });

  it('is refused with the key of another tenant, whatever it is called', async () => {
    const { service, refuses, header, payload, key } = await newTarget();
    const other = await newSignedInWorld(service);
    const otherKey = await openSigningKey(other.tenant.id);
    const sign = (kid: string) => signWithEs256(otherKey.privateKey, { ...header, kid }, payload);
    await refuses(await sign(otherKey.kid), 'the other kid');
    await refuses(await sign(key.kid), 'our kid');
    await refuses(other.token, 'the token of the other tenant');
    expect((await readSelf(service, other.tenant, other.token)).status).toBe(200);
  });

  it('is refused with a kid that names no key', async () => {
    const { refuses, signWith, header, payload, key } = await newTarget();
    const kids = [
      'unknown',
      '',
      ' ',
      `${key.kid} `,
      key.kid.toUpperCase(),
      key.kid.slice(0, -1),
      `${key.kid}\0`,
      '../../../../dev/null',
      '/etc/passwd',
      'file:///dev/null',
      `../${key.kid}`,
      "' or 1=1 --",
      `${key.kid}' or '1'='1`,
      '%',
      '__proto__',
      'constructor',
      'k'.repeat(2000),
      null,
      0,
      true,
      [key.kid],
      { toString: key.kid },
    ];
    for (const kid of kids) await refuses(await signWith({ ...header, kid }, payload), `kid ${JSON.stringify(kid)}`);
    const { kid: _, ...rest } = header;
    await refuses(await signWith(rest, payload), 'no kid');
  });

  it('is refused when it brings its own key, which is not fetched', async () => {
    const { refuses, signWith, header, payload } = await newTarget();
    const attacker = await generateSigningKey('ES256', 'attacker');
    const attackerKey = await importP256(attacker.privateJwk);
    const fetches = vi.spyOn(globalThis, 'fetch');
    try {
      for (const members of [
        { jwk: attacker.publicJwk },
        { jku: 'https://attacker.example/jwks.json' },
        { x5u: 'https://attacker.example/cert.pem' },
        { x5c: ['MIIBtjCCAVugAwIBAgIU'] },
        { x5t: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      ]) {
        const name = Object.keys(members).join();
        await refuses(await signWith({ ...header, ...members }, payload), `${name}, signed by the tenant`);
        const own = { ...header, ...members };
        await refuses(await signWithEs256(attackerKey, own, payload), `${name}, signed by the attacker`);
        const named = { ...own, kid: 'attacker' };
        await refuses(await signWithEs256(attackerKey, named, payload), `${name}, with the kid of the attacker`);
      }
      expect(fetches).not.toHaveBeenCalled();
    } finally {
      fetches.mockRestore();
    }
    await refuses(await signWithEs256(attackerKey, header, payload), 'the key of the attacker alone');
  });

  it('is refused with members in its header that ours never have', async () => {
    const { refuses, signWith, header, payload } = await newTarget();
    for (const members of [
      { crit: ['exp'], exp: payload.exp },
      { crit: ['b64'], b64: false },
      { crit: ['b64'], b64: true },
      { crit: [] },
      { crit: ['unknown'], unknown: true },
      { crit: 'exp' },
      { b64: false },
      { zip: 'DEF' },
      { cty: 'JWT' },
      { enc: 'A256GCM' },
      { exp: payload.exp },
    ]) {
      await refuses(await signWith({ ...header, ...members }, payload), JSON.stringify(members));
    }
  });

  it('is refused with another typ', async () => {
    const { refuses, signWith, header, payload } = await newTarget();
    const types = [
      'JWT',
      'jwt',
      'id_token',
      'id_token+jwt',
      'rt+jwt',
      'AT+JWT',
      'application/at+jwt',
      '',
      null,
      ['at+jwt'],
    ];
    for (const typ of types) await refuses(await signWith({ ...header, typ }, payload), `typ ${JSON.stringify(typ)}`);
    const { typ: _, ...rest } = header;
    await refuses(await signWith(rest, payload), 'no typ');
  });

  it('is refused with claims of another issuer, tenant or person', async () => {
    const { service, refuses, signWith, header, payload, tenant, app, person } = await newTarget();
    const at = service.clock.now();
    const neighbour = await newPerson(service, tenant, app);
    const other = await newSignedInWorld(service);
    const claims: Members[] = [
      { iss: `${payload.iss}/` },
      { iss: other.tenant.host },
      { iss: [payload.iss] },
      { aud: other.tenant.id },
      { aud: [] },
      { aud: [tenant.id] },
      { aud: [tenant.id, other.tenant.id] },
      { aud: tenant.slug },
      { tid: other.tenant.id },
      { tid: tenant.slug },
      { sub: neighbour.userId },
      { sub: other.person.userId },
      { sub: newId('usr', at) },
      { sub: person.cuid },
      { sub: { id: person.userId } },
      { sub: '' },
      { cid: neighbour.cuid },
      { cid: other.person.cuid },
      { cid: newId('cus', at) },
      { cid: person.userId },
      { sub: other.person.userId, cid: other.person.cuid },
      { jti: newId('tok', at - 3_600_000) },
      { jti: 'tok' },
    ];
    for (const each of claims) await refuses(await signWith(header, { ...payload, ...each }), JSON.stringify(each));
    for (const name of ['iss', 'aud', 'tid', 'sub', 'cid', 'jti', 'exp', 'iat']) {
      const rest = Object.fromEntries(Object.entries(payload).filter(([member]) => member !== name));
      await refuses(await signWith(header, rest), `no ${name}`);
      await refuses(await signWith(header, { ...payload, [name]: null }), `${name} null`);
    }
  });

  it('ends with its exp, but for five seconds at most', async () => {
    const { service, accepts, refuses, signWith, header, payload, nowSeconds, person, tenant } = await newTarget();
    for (const exp of [nowSeconds + 1, nowSeconds - 4]) await accepts(await signWith(header, { ...payload, exp }));
    for (const exp of [
      nowSeconds - 5,
      nowSeconds - 6,
      nowSeconds - 86_400,
      0,
      -1,
      '9999999999',
      true,
      [nowSeconds + 60],
    ]) {
      await refuses(await signWith(header, { ...payload, exp }), `exp ${JSON.stringify(exp)}`);
    }
    const issued = await signIn(service, tenant, person);
    const lifetime = Number(decode(partsOf(issued)[1]).exp) - nowSeconds;
    expect(lifetime).toBe(86_400);
    service.clock.advance(lifetime - 1);
    await accepts(issued);
    service.clock.advance(7);
    await expectUnauthenticated(await readSelf(service, tenant, issued), 'expired');
  });

  it('is refused when it is from the future, but for five seconds at most', async () => {
    const { service, accepts, refuses, signWith, header, payload, nowSeconds } = await newTarget();
    const issuedIn = (seconds: number) => ({
      iat: nowSeconds + seconds,
      jti: newId('tok', service.clock.now() + seconds * 1000),
    });
    await accepts(await signWith(header, { ...payload, ...issuedIn(5) }));
    for (const seconds of [6, 7, 3600]) {
      await refuses(await signWith(header, { ...payload, ...issuedIn(seconds) }), `iat in ${seconds} s`);
    }
    await accepts(await signWith(header, { ...payload, nbf: nowSeconds + 5 }));
    for (const nbf of [nowSeconds + 6, nowSeconds + 3600, '0', [0]]) {
      await refuses(await signWith(header, { ...payload, nbf }), `nbf ${JSON.stringify(nbf)}`);
    }
    await refuses(await signWith(header, { ...payload, iat: String(nowSeconds) }), 'iat as a text');
  });

  it('is refused with JSON that says two things or nothing', async () => {
    const { refuses, key, header, payload, nowSeconds } = await newTarget();
    const [headerText, json] = [JSON.stringify(header), JSON.stringify(payload)];
    for (const altered of [
      json.replace(/"exp":\d+/, '"exp":1e400'),
      json.replace(/"exp":\d+/, '"exp":NaN'),
      json.replace(/}$/, `,"exp":${nowSeconds - 900}}`),
      json.replace(/}$/, ',"sub":"admin"}'),
      `[${json}]`,
      'null',
      '"foo"',
      'foo',
      '',
      `${json}${json}`,
      `${'['.repeat(1000)}${']'.repeat(1000)}`,
    ]) {
      await refuses(await signTextsWithEs256(key.privateKey, headerText, altered), altered);
    }
    for (const altered of [`[${headerText}]`, 'null', '"foo"', '', `${headerText} x`]) {
      await refuses(await signTextsWithEs256(key.privateKey, altered, json), altered);
    }
  });

  it('is refused when it was altered after it was signed', async () => {
    const { service, refuses, payload, tenant, app, token, nowSeconds } = await newTarget();
    const neighbour = await newPerson(service, tenant, app);
    const [header, ownPayload, signature] = partsOf(token);
    for (const claims of [{ exp: nowSeconds + 999_999 }, { sub: neighbour.userId, cid: neighbour.cuid }]) {
      await refuses(`${header}.${encode({ ...payload, ...claims })}.${signature}`, JSON.stringify(claims));
    }
    const neighbourToken = await signIn(service, tenant, neighbour);
    const [, , neighbourSignature] = partsOf(neighbourToken);
    await refuses(`${header}.${ownPayload}.${neighbourSignature}`, 'the signature of another token');
  });

  it('is refused with a part missing, cut short, added or swapped', async () => {
    const { refuses, token } = await newTarget();
    const [header, payload, signature] = partsOf(token);
    const spellings = [
      '.',
      '..',
      '...',
      header,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}..${signature}`,
      `.${payload}.${signature}`,
      `${payload}.${header}.${signature}`,
      `${token}.`,
      `${token}.${signature}`,
      `${header}.${payload}.${signature}.${payload}.${signature}`,
      base64url(encoder.encode(JSON.stringify({ protected: header, payload, signature }))),
      ...[1, 2, 3, 4, 10, 43, 85].map((count) => token.slice(0, -count)),
      ...[1, 2, 10].map((count) => token.slice(count)),
    ];
    for (const spelling of spellings) await refuses(spelling);
  });

  it('is refused when it is longer than any of ours', async () => {
    const { refuses, signWith, header, payload, service, tenant } = await newTarget();
    await refuses(await signWith(header, { ...payload, padding: 'x'.repeat(10_240) }), '10 kB, well signed');
    for (const huge of ['A'.repeat(10_240), '.'.repeat(10_240), `${'A'.repeat(10_240)}.A.A`]) {
      const response = await service.call('GET', `${tenant.host}/customers/self`, { headers: bearerHeaders(huge) });
      await expectUnauthenticated(response, huge.slice(0, 3));
    }
  });

  it('is refused with a signature in another form', async () => {
    const { refuses, token, key, header, payload } = await newTarget();
    const [ownHeader, ownPayload, signature] = partsOf(token);
    const raw = fromBase64url(signature);
    const der = derOf(raw);
    await refuses(`${ownHeader}.${ownPayload}.${base64url(der)}`, 'DER');
    const zeros = new Uint8Array(64);
    await refuses(`${ownHeader}.${ownPayload}.${base64url(zeros)}`, 'r = s = 0');
    const swapped = new Uint8Array([...raw.slice(32), ...raw.slice(0, 32)]);
    await refuses(`${ownHeader}.${ownPayload}.${base64url(swapped)}`, 's and r');
    await refuses(`${ownHeader}.${ownPayload}.${base64url(new Uint8Array([...raw, 0]))}`, 'a byte more');
    for (const hash of ['SHA-1', 'SHA-384', 'SHA-512']) {
      const input = `${encode(header)}.${encode(payload)}`;
      const other = await crypto.subtle.sign({ ...ECDSA, hash }, key.privateKey, encoder.encode(input));
      await refuses(`${input}.${base64url(new Uint8Array(other))}`, hash);
    }
  });

  it('is refused in base 64 that is not the one of JWTs', async () => {
    const { refuses, token } = await newTarget();
    const [header, payload, signature] = partsOf(token);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes leave four bits of the last character without a meaning.
    const sibling = alphabet[alphabet.indexOf(signature.at(-1) ?? '') + 1];
    for (const spelling of [
      `${token}=`,
      `${token}==`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}==.${signature}`,
      `${header}.${payload}.${signature.slice(0, -1)}${sibling}`,
      `${header}.${payload}.${signature.slice(0, 40)} ${signature.slice(40)}`,
      `${header}.${payload}.${signature.slice(0, 40)}~${signature.slice(40)}`,
      `${header}.${payload}.${fromBase64url(signature).toBase64()}`,
    ]) {
      await refuses(spelling);
    }
  });
});

/** A raw ECDSA signature as ASN.1 (RFC 3279, section 2.2.3). */
const derOf = (raw: Uint8Array): Uint8Array => {
  const integer = (bytes: Uint8Array) => {
    const trimmed = [...bytes.slice(bytes.findIndex((byte) => byte !== 0))];
    const positive = (trimmed[0] ?? 0) > 127 ? [0, ...trimmed] : trimmed;
    return [2, positive.length, ...positive];
  };
  const both = [...integer(raw.slice(0, 32)), ...integer(raw.slice(32))];
  return new Uint8Array([0x30, both.length, ...both]);
};

/** The pair of a customer, made anew. */
const pairOf = async (service: Service, app: AppPair, cuid: string): Promise<CustomerPair> => {
  const renewed = await service.call('GET', `/customer/${cuid}/auth`, { headers: appHeaders(app) });
  expect(renewed.status).toBe(200);
  return renewed.json<CustomerPair>();
};

/** Has a reset code mailed, and reads it from the mailbox. */
const mailResetCode = async (service: Service, tenant: TestTenant, email: string): Promise<string> => {
  const path = `${tenant.host}/customers/password_reset`;
  const asked = await service.call('POST', path, { body: { email, reset_uri: '/reset' } });
  expect(asked.status).toBe(200);
  const [, code = ''] = /\/reset\/([A-Z0-9]{10})\s/.exec((await lastMailTo(email)).text) ?? [];
  expect(code).toHaveLength(10);
  return code;
};

const resetPassword = async (service: Service, tenant: TestTenant, email: string) => {
  const code = await mailResetCode(service, tenant, email);
  const reset = await service.call('POST', `${tenant.host}/customers/do_reset`, { body: { email, code } });
  expect(reset.status).toBe(200);
  return { code, ...(await reset.json<{ token: string }>()) };
};

describe('what is no access token', () => {
  it('is refused as one, whatever else it is good for', async () => {
    const { service, refuses, tenant, app, person } = await newTarget();
    const pair = await pairOf(service, app, person.cuid);
    const email = (await newCustomer(service, app, { send_activation: true })).email;
    const [, secret = ''] = /\/activate\/[^/]+\/([A-Z0-9]+)/.exec((await lastMailTo(email)).text) ?? [];
    const secrets = {
      superkey: app.superkey,
      supertoken: app.supertoken,
      'API key': pair.key,
      'API token': pair.token,
      'activation secret': secret,
      'reset code': await mailResetCode(service, tenant, person.email),
      password: person.password,
      'operator token': env.OPERATOR_TOKEN,
      'user id': person.userId,
      'customer id': person.cuid,
    };
    expect(secret).not.toBe('');
    for (const [name, each] of Object.entries(secrets)) await refuses(each, name);
  });

  it('is the JWT of a reset, signed with the code or sent as it is', async () => {
    const { service, tenant, person, header, payload } = await newTarget();
    const { code, token } = await resetPassword(service, tenant, person.email);
    await expectUnauthenticated(await readSelf(service, tenant, token), 'the JWT of a reset');
    for (const alg of ['HS256', 'ES256']) {
      const forged = await signWithHs256(encoder.encode(code), { ...header, alg }, payload);
      await expectUnauthenticated(await readSelf(service, tenant, forged), 'signed with the code');
    }
  });
});

/** What ends every token from before, and how the person signs in after it, or null where that is no longer possible. */
const DEATHS: readonly [
  string,
  (world: Awaited<ReturnType<typeof newTarget>>) => Promise<{ email: string; password: string } | null>,
][] = [
  [
    'the password was changed',
    async ({ service, tenant, person, token }) => {
      const password = `another horse ${crypto.randomUUID()}`;
      const changed = await service.call('PATCH', `${tenant.host}/customers/self`, {
        headers: bearerHeaders(token),
        body: { password, current_password: person.password },
      });
      expect(changed.status).toBe(200);
      return { email: person.email, password };
    },
  ],
  [
    'the password was reset',
    async ({ service, tenant, person }) => {
      const { token } = await resetPassword(service, tenant, person.email);
      const { passphrase } = decode(partsOf(token)[1]);
      return { email: person.email, password: String(passphrase) };
    },
  ],
  [
    'the customer was disabled',
    async ({ service, tenant, person }) => {
      await setStatus(service, tenant, person.cuid, 'disabled');
      return null;
    },
  ],
  [
    'the customer was disabled and enabled again',
    async ({ service, tenant, person }) => {
      await setStatus(service, tenant, person.cuid, 'disabled');
      await setStatus(service, tenant, person.cuid, 'active');
      return person;
    },
  ],
  [
    'the customer was deleted',
    async ({ service, tenant, token }) => {
      const headers = bearerHeaders(token);
      expect((await service.call('DELETE', `${tenant.host}/customers/self`, { headers })).status).toBe(200);
      return null;
    },
  ],
];

const RETIREMENT: (typeof DEATHS)[number] = [
  'its key was retired',
  async ({ service, tenant, person }) => {
    const path = `/operator/v1/tenants/${tenant.slug}/keys/rotate`;
    const rotated = await service.call('POST', path, { headers: operatorHeaders, body: { retire: true } });
    expect(rotated.status).toBe(201);
    return person;
  },
];

/** Another isolate of the Worker, at the same time. */
const newIsolate = ({ clock }: Service): Service => {
  const other = createService();
  other.clock.advance(Math.ceil((clock.now() - other.clock.now()) / 1000));
  return other;
};

const setStatus = async (service: Service, tenant: TestTenant, cuid: string, status: 'active' | 'disabled') => {
  const path = `/operator/v1/tenants/${tenant.slug}/customers/${cuid}`;
  const changed = await service.call('PATCH', path, { headers: operatorHeaders, body: { status } });
  expect(changed.status).toBe(200);
};

/** Fails unless the token of the world is dead there, and the person still can sign in if it could before. */
const expectDeath = async (
  world: Awaited<ReturnType<typeof newTarget>>,
  signInAgain: { email: string; password: string } | null,
  isolates: readonly Service[],
): Promise<void> => {
  const { service, tenant, token, person } = world;
  for (const at of isolates) {
    await expectUnauthenticated(await readSelf(at, tenant, token), 'a dead token');
    const headers = bearerHeaders(token);
    const patched = await at.call('PATCH', `${tenant.host}/customers/self`, { headers, body: { name: 'Eve' } });
    await expectUnauthenticated(patched, 'a dead token');
  }
  if (!signInAgain) return;
  service.clock.advance(1);
  const self = await readSelf(service, tenant, await signIn(service, tenant, signInAgain));
  expect(await self.json()).toMatchObject({ id: person.cuid, name: null });
  await expectUnauthenticated(await readSelf(service, tenant, token), 'a dead token after the next sign-in');
};

describe('an access token is dead at once when', () => {
  it.each(DEATHS)('%s, in every isolate', async (_, end) => {
    const world = await newTarget();
    const elsewhere = newIsolate(world.service);
    expect((await readSelf(elsewhere, world.tenant, world.token)).status).toBe(200);
    await expectDeath(world, await end(world), [world.service, elsewhere, newIsolate(world.service)]);
  });

  it('its key was retired, in every isolate that does not remember the key', async () => {
    const world = await newTarget();
    const [, retire] = RETIREMENT;
    expect((await readSelf(newIsolate(world.service), world.tenant, world.token)).status).toBe(200);
    await expectDeath(world, await retire(world), [world.service, newIsolate(world.service)]);
  });
});

/** A target with the pair of its customer, and the partner's way of reading it. */
const newPartnerTarget = async () => {
  const target = await newTarget();
  const { service, app, person } = target;
  const pair = await pairOf(service, app, person.cuid);
  const path = `/customer/${person.cuid}`;
  const read = (token: string, withKey = pair.key, at = path) =>
    service.call('GET', at, { headers: { 'x-access-key': withKey, 'x-access-token': token } });
  return {
    ...target,
    pair,
    read,
    refusesAsPartner: async (token: string, what: string): Promise<void> => {
      expect([what, await refusalOf(await read(token))]).toEqual([what, INVALID_TOKEN]);
    },
  };
};

const INVALID_TOKEN = { status: 403, code: 'invalid_token', message: 'Invalid token' };
const UNKNOWN_KEY = { status: 404, code: 'unknown_key', message: 'No matching key' };

describe('an access token as the token of a customer’s pair', () => {
  it('reads and changes the customer that the key belongs to, and no other', async () => {
    const { service, app, person, token, pair, read } = await newPartnerTarget();
    const answer = await read(token);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ cuid: person.cuid, email: person.email });
    const headers = customerHeaders({ ...pair, token });
    const changed = await service.call('PATCH', `/customer/${person.cuid}`, { headers, body: { city: 'Ulm' } });
    expect(await changed.json()).toMatchObject({ cuid: person.cuid, city: 'Ulm' });
    const neighbour = await newCustomer(service, app);
    const other = await read(token, pair.key, `/customer/${neighbour.cuid}`);
    expect(await refusalOf(other)).toMatchObject({ status: 404, code: 'customer_not_found' });
  });

  it('is looked at after the key', async () => {
    const { service, app, read, token, pair } = await newPartnerTarget();
    const unknown = `${pair.key.slice(0, -22)}${'A'.repeat(22)}`;
    for (const each of [token, 'a.b.c']) expect(await refusalOf(await read(each, unknown))).toEqual(UNKNOWN_KEY);
    const neighbour = await newCustomer(service, app);
    expect(await refusalOf(await read(token, neighbour.key))).toEqual(INVALID_TOKEN);
  });

  it('is refused when it is another customer’s, or of another tenant', async () => {
    const { service, tenant, app, refusesAsPartner } = await newPartnerTarget();
    const neighbour = await newPerson(service, tenant, app);
    await refusesAsPartner(await signIn(service, tenant, neighbour), 'another customer of the tenant');
    const other = await newSignedInWorld(service);
    await refusesAsPartner(other.token, 'another tenant');
  });

  it('is refused when it was not issued by us', async () => {
    const { refusesAsPartner, pair, token, header, payload } = await newPartnerTarget();
    const attacker = await importP256((await generateSigningKey('ES256', 'attacker')).privateJwk);
    await refusesAsPartner(await signWithEs256(attacker, header, payload), 'another key');
    await refusesAsPartner(`${encode({ ...header, alg: 'none' })}.${encode(payload)}.`, 'alg none');
    for (const each of ['.', '..', 'a.b.c', `${token}.`, `${token}=`, pair.key]) await refusesAsPartner(each, each);
  });

  it('is refused when it has expired', async () => {
    const { service, read, refusesAsPartner, token, payload, nowSeconds } = await newPartnerTarget();
    service.clock.advance(Number(payload.exp) - nowSeconds - 1);
    expect((await read(token)).status).toBe(200);
    service.clock.advance(7);
    await refusesAsPartner(token, 'expired');
  });

  it.each([...DEATHS, RETIREMENT])('is dead at once when %s', async (_, end) => {
    const target = await newPartnerTarget();
    const { service, read, token } = target;
    const signInAgain = await end(target);
    const found = await env.DB.prepare('select 1 from customers where id = ?').bind(target.person.cuid).first();
    // A deleted customer takes its key along.
    expect(await refusalOf(await read(token))).toEqual(found ? INVALID_TOKEN : UNKNOWN_KEY);
    if (!signInAgain) return;
    service.clock.advance(1);
    expect((await read(await signIn(service, target.tenant, signInAgain))).status).toBe(200);
  });
});
