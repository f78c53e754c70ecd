import { randomBytes, scryptSync } from 'node:crypto';
import bcrypt from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import { readSelf } from '../../support/accounts.ts';
import { exportFrom, importInto, summaryOf } from '../../support/imports.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, type TestTenant } from '../../support/tenants.ts';

const PASSWORD = 'correct horse battery staple';
const OF_OURS = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;

const base64 = (bytes: Uint8Array): string => bytes.toBase64({ omitPadding: true });

const pbkdf2 = async (iterations: number): Promise<string> => {
  const salt = randomBytes(16);
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(PASSWORD), 'PBKDF2', false, ['deriveBits']);
  const tag = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', iterations, salt }, key, 256);
  return `$pbkdf2-sha256$i=${iterations}$${base64(salt)}$${base64(new Uint8Array(tag))}`;
};

const scrypt = (): string => {
  const salt = randomBytes(16);
  const tag = scryptSync(new TextEncoder().encode(PASSWORD), salt, 32, {
    cost: 2 ** 14,
    blockSize: 8,
    parallelization: 1,
    maxmem: 2 ** 26,
  });
  return `$scrypt$ln=14,r=8,p=1$${base64(salt)}$${base64(tag)}`;
};

const login = (service: Service, { host }: TestTenant, email: string, password = PASSWORD): Promise<Response> =>
  service.call('POST', `${host}/customers/login`, { body: { email, password } });

const hashOf = async (service: Service, tenant: TestTenant) =>
  (await exportFrom(service, tenant, '?include=password_hashes'))[0]?.password_hash;

/** A tenant with one customer of this hash. */
const newPlace = async (password_hash: string, members: Record<string, unknown> = {}) => {
  const service = createService();
  const tenant = await newTenant(service);
  const email = 'ada@example.com';
  const answer = await importInto(service, tenant, [{ email, email_verified: true, password_hash, ...members }]);
  // Tokens that are issued in the very millisecond of a change are dead.
  service.clock.advance(31);
  return { service, tenant, email, answer, login: (password?: string) => login(service, tenant, email, password) };
};

const KINDS: [kind: string, makeHash: () => string | Promise<string>][] = [
  // Node 24: `crypto.argon2Sync('argon2id', { message: PASSWORD, nonce: 'somesaltsomesalt', memory: 8192, passes: 3,
  // parallelism: 2, tagLength: 32 })`.
  ['argon2', () => '$argon2id$v=19$m=8192,t=3,p=2$c29tZXNhbHRzb21lc2FsdA$JrXX/b2HEVtjeHpW0TOgX7LnW+ePVlX5KCVDdpGaMgg'],
  ['bcrypt', () => bcrypt.hash(PASSWORD, 6)],
  ['bcrypt of PHP', async () => (await bcrypt.hash(PASSWORD, 4)).replace('$2b$', '$2y$')],
  ['scrypt', scrypt],
  ['PBKDF2', () => pbkdf2(1000)],
];

describe('an imported password hash', () => {
  it.each(KINDS)('of %s is kept as it is, signs in, and is one of ours from then on', async (_, makeHash) => {
    const hash = await makeHash();
    const { service, tenant, answer, login } = await newPlace(hash);
    expect(answer).toMatchObject({ refused: [], summary: summaryOf({ created: 1 }) });
    expect(await hashOf(service, tenant)).toBe(hash);
    expect((await login(`${PASSWORD}!`)).status).toBe(401);
    expect(await hashOf(service, tenant)).toBe(hash);
    const response = await login();
    expect(response.status).toBe(200);
    const { token } = await response.json<{ token: string }>();
    expect((await readSelf(service, tenant, token)).status).toBe(200);
    expect(await hashOf(service, tenant)).toMatch(OF_OURS);
    expect((await login()).status).toBe(200);
    expect((await login(`${PASSWORD}!`)).status).toBe(401);
  });

  it('of ours, exported and imported elsewhere, signs in there', async () => {
    const first = await newPlace(await bcrypt.hash(PASSWORD, 4));
    await first.login();
    const [line] = await exportFrom(first.service, first.tenant, '?include=password_hashes');
    const away = await newTenant(first.service);
    expect(await importInto(first.service, away, [line])).toMatchObject({ summary: summaryOf({ created: 1 }) });
    first.service.clock.advance(31);
    expect((await login(first.service, away, first.email)).status).toBe(200);
    expect(await hashOf(first.service, away)).toBe(line?.password_hash);
  });

  it('of a further user signs that user in', async () => {
    const password_hash = await bcrypt.hash(PASSWORD, 4);
    const users = [{ email: 'aide@example.com', email_verified: true, password_hash }];
    const { service, tenant, login: loginOwner } = await newPlace(await bcrypt.hash('another one', 4), { users });
    expect((await login(service, tenant, 'aide@example.com')).status).toBe(200);
    expect((await loginOwner()).status).toBe(401);
  });

  it.each([
    ['whose address is not verified', { email_verified: false }],
    ['who is disabled', { status: 'disabled' }],
    ['whose password was to be changed by now', { password_expires_at: '2020-01-01T00:00:00Z' }],
  ])('signs nobody in %s', async (_, members) => {
    const { answer, login } = await newPlace(await bcrypt.hash(PASSWORD, 4), members);
    expect(answer).toMatchObject({ summary: summaryOf({ created: 1 }) });
    expect((await login()).status).toBe(401);
  });

  it.each([
    ['of an unknown kind', '$6$rounds=5000$saltsalt$tagtagtag', 'must be of argon2, bcrypt, scrypt or PBKDF2'],
    ['that is a password', PASSWORD, 'must be of argon2, bcrypt, scrypt or PBKDF2'],
    ['that is empty', '', 'must be of argon2, bcrypt, scrypt or PBKDF2'],
    ['that is cut short', '$2b$10$N9qo8uLOickgx2ZMRZoMye', 'is not complete'],
    ['of bcrypt at a cost of 13', `$2b$13$${'a'.repeat(53)}`, 'takes more work'],
    [
      'of argon2 with 64 MiB',
      '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$ISO7kkvFzh19GM8qB7patN3C3Y9HHsjl',
      'takes more work',
    ],
    ['of PBKDF2 with 100,001 rounds', `$pbkdf2-sha256$i=100001$c29tZXNhbHQ$${'a'.repeat(43)}`, 'takes more work'],
    ['of scrypt with 128 MiB', `$scrypt$ln=17,r=8,p=1$c29tZXNhbHQ$${'a'.repeat(43)}`, 'takes more work'],
    ['with a tag of 8 bytes', '$pbkdf2-sha256$i=1000$c29tZXNhbHQ$aaaaaaaaaaa', 'too short a salt or tag'],
  ])('%s is a fault of its line', async (_, hash, message) => {
    const { service, tenant, answer } = await newPlace(hash, {
      users: [{ email: 'b@example.com', password_hash: hash }],
    });
    expect(answer).toMatchObject({
      refused: ['1: password_hash', '1: users.0.password_hash'],
      summary: summaryOf({ refused: 1 }),
    });
    expect(answer.messages[0]).toContain(message);
    expect(await exportFrom(service, tenant)).toEqual([]);
  });
});
