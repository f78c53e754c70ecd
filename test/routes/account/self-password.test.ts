import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newAccountWorld, newPerson, signIn } from '../../support/accounts.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { refusalOf } from '../../support/tenants.ts';

const NEW = 'a password of my own';

/** A person who is signed in twice, and the call that changes the password. */
const newPasswordWorld = async (profile: Record<string, unknown> = {}) => {
  const world = await newAccountWorld(profile);
  const { service, tenant, person } = world;
  return {
    ...world,
    secondToken: await signIn(service, tenant, person),
    changePassword: (password = NEW, current = person.password, more: Record<string, unknown> = {}) =>
      world.change({ password, current_password: current, ...more }),
    readUser: () => env.DB.prepare('select * from users where id = ?').bind(person.userId).first(),
  };
};

const passwordFaultsOf = async (response: Response) => {
  const { code, errors } = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
  return { status: response.status, code, errors: errors.map((each) => `${each.path} ${each.code}`) };
};

describe('PATCH /customers/self with a password', () => {
  it('replaces it, and answers with the account', async () => {
    const { service, tenant, person, changePassword, login, readSelf } = await newPasswordWorld();
    const response = await changePassword(NEW, person.password, { name: 'Ada' });
    expect(response.status).toBe(200);
    const account = await response.json<Record<string, unknown>>();
    expect(account).toMatchObject({ id: person.cuid, email: person.email, name: 'Ada' });
    service.clock.advance(1);
    expect(await login()).toBe(401);
    const token = await signIn(service, tenant, { email: person.email, password: NEW });
    expect(await (await readSelf(token)).json()).toEqual(account);
  });

  it('ends every token of the person, the one of the call too, and of nobody else', async () => {
    const { service, tenant, app, token, secondToken, changePassword, readSelf } = await newPasswordWorld();
    const neighbour = await signIn(service, tenant, await newPerson(service, tenant, app));
    for (const each of [token, secondToken]) expect((await readSelf(each)).status).toBe(200);
    expect((await changePassword()).status).toBe(200);
    for (const each of [token, secondToken]) expect((await readSelf(each)).status).toBe(401);
    expect((await readSelf(neighbour)).status).toBe(200);
  });

  it('mails that it was changed, without telling it', async () => {
    const { tenant, person, changePassword } = await newPasswordWorld();
    await changePassword();
    const mail = (await mailsTo(person.email)).at(-1);
    expect(mail?.subject).toBe(`Your password for Tenant ${tenant.slug} was changed`);
    for (const secret of [NEW, person.password]) expect(`${mail?.text}${mail?.html}`).not.toContain(secret);
  });

  it('is kept as an argon2id hash, and told in the audit log without it', async () => {
    const { service, tenant, person, changePassword, readUser } = await newPasswordWorld();
    service.clock.advance(1);
    await changePassword();
    expect(await readUser()).toMatchObject({
      password_hash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/),
    });
    expect(await eventsAbout(person.cuid)).toContainEqual({
      type: 'password.changed',
      actor: `user:${person.userId}`,
    });
    const rows = JSON.stringify(await rowsOf(tenant.id));
    for (const secret of [NEW, person.password]) expect(rows).not.toContain(secret);
  });

  it('lasts, even if the one before was to be changed by some time', async () => {
    const { service, person, changePassword, login } = await newPasswordWorld();
    const expire = env.DB.prepare('update users set password_expires_at = ? where id = ?');
    await expire.bind(service.clock.now() + 60_000, person.userId).run();
    expect((await changePassword()).status).toBe(200);
    service.clock.advance(61);
    expect(await login(NEW)).toBe(200);
  });

  it.each([
    ['wrong', (password: string) => `${password}x`],
    ['empty', () => ''],
    ['in other letters', (password: string) => password.toUpperCase()],
    ['the new one', () => NEW],
  ])('refuses a current password that is %s, and changes nothing', async (_, write) => {
    const { person, changePassword, readUser, readSelf, login } = await newPasswordWorld();
    const before = await readUser();
    const mails = await mailsTo(person.email);
    const response = await changePassword(NEW, write(person.password));
    expect(await passwordFaultsOf(response)).toEqual({
      status: 400,
      code: 'validation_failed',
      errors: ['current_password invalid'],
    });
    expect(await readUser()).toEqual(before);
    expect(await mailsTo(person.email)).toEqual(mails);
    expect([(await readSelf()).status, await login(), await login(NEW)]).toEqual([200, 200, 401]);
  });

  it('refuses the current password of another person', async () => {
    const { service, tenant, app, changePassword } = await newPasswordWorld();
    const { password } = await newPerson(service, tenant, app);
    expect((await changePassword(NEW, password)).status).toBe(400);
  });

  it('refuses a weak password, and changes nothing', async () => {
    const { person, change, changePassword, readUser, readSelf } = await newPasswordWorld({ name: 'The Corner Shop' });
    await change({ name: 'Ada Lovelace' });
    const before = await readUser();
    const [localPart = ''] = person.email.split('@');
    const weak = ['7 chars', 'x'.repeat(257), 'qwertyuiop', person.email, localPart, 'ADA LOVELACE', 'the corner shop'];
    for (const password of weak) {
      expect([password, await passwordFaultsOf(await changePassword(password))]).toEqual([
        password,
        { status: 400, code: 'weak_password', errors: ['password invalid'] },
      ]);
    }
    const renamed = await changePassword('grace hopper', person.password, { name: 'Grace Hopper' });
    expect(await refusalOf(renamed)).toMatchObject({ status: 400, code: 'weak_password' });
    expect(await readUser()).toEqual(before);
    expect((await readSelf()).status).toBe(200);
  });

  it('refuses 10 wrong current passwords in 15 minutes and no more, together with those of logins', async () => {
    const { service, person, changePassword, login } = await newPasswordWorld();
    for (let i = 0; i < 5; i++) {
      expect((await changePassword(NEW, 'wrong password')).status).toBe(400);
      expect(await login('wrong password')).toBe(401);
    }
    for (const current of ['wrong password', person.password]) {
      const response = await changePassword(NEW, current);
      expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
      expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    }
    expect(await login()).toBe(429);
    service.clock.advance(15 * 60);
    expect((await changePassword()).status).toBe(200);
  });
});
