import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { type AccountWorld, linkIn, newAccountWorld, newPerson, signIn } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { readCustomer } from '../../support/customers.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { eventsAbout, locksOf, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newCustomer, newTenant, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const REFUSED = {
  status: 400,
  code: 'invalid_or_expired_code',
  message: 'The code is wrong, was used, or has expired.',
};
const DAY = 86_400;

/** A person who asked for another address, and the call that confirms it. */
const newMovingWorld = async (profile: Record<string, unknown> = {}, email = uniqueEmail()) => {
  const world = await newAccountWorld(profile);
  const asked = await world.change({ email });
  expect(asked.status).toBe(200);
  const { url, identifier, secret: key } = linkIn(await lastMailTo(email), 'confirm-email');
  const confirm = (more: Record<string, unknown> = {}, host = world.tenant.host) =>
    world.post('newemail_confirm', { identifier, key, ...more }, host);
  return { ...world, email, asked, url, identifier, key, confirm };
};

type World = Awaited<ReturnType<typeof newMovingWorld>>;

/** The rows of everybody in the tenant. */
const peopleOf = async ({ tenant }: AccountWorld) => {
  const { customers = [], users = [] } = await rowsOf(tenant.id);
  return [...customers, ...users];
};

const keyMailedTo = async (email: string) => linkIn(await lastMailTo(email), 'confirm-email').secret;

const wrongKeys = (key: string, count: number): string[] =>
  Array.from({ length: 36 }, (_, i) => key.slice(0, -1) + i.toString(36).toUpperCase())
    .filter((each) => each !== key)
    .slice(0, count);

describe('PATCH /customers/self with an email address', () => {
  it('changes nothing yet but that the address is pending', async () => {
    const { service, app, person, email, asked, readSelf, login } = await newMovingWorld();
    for (const response of [asked, await readSelf()]) {
      expect(await response.json()).toMatchObject({ id: person.cuid, email: person.email, pending_email: email });
    }
    expect([await login(), await login(person.password, email)]).toEqual([200, 401]);
    expect((await readCustomer(service, app, person.cuid)).email).toBe(person.email);
  });

  it.each([
    ['the site of the tenant', { site_url: 'https://shop.example.com' }, () => 'https://shop.example.com'],
    ['the tenant’s own host', {}, ({ tenant }: World) => `${tenant.host}:8787`],
  ])('mails the new address a link with identifier and key to %s', async (_, profile, siteOf) => {
    const world = await newMovingWorld(profile);
    const { person, email, url, identifier, key } = world;
    expect(identifier).toBe(person.userId);
    expect(key).toMatch(/^[A-Z0-9]{16}$/);
    expect(url).toBe(`${siteOf(world)}/confirm-email/${identifier}/${key}`);
    const [mail, ...others] = await mailsTo(email);
    expect(others).toEqual([]);
    expect(mail?.html).toContain(`<a href="${url}">`);
    expect(mail?.from.name).toBe(`Tenant ${world.tenant.slug}`);
  });

  it('mails the old address a notice, without the key', async () => {
    const { tenant, person, key } = await newMovingWorld();
    const notice = await lastMailTo(person.email);
    expect(notice.subject).toBe(`A new email address for your account with Tenant ${tenant.slug}`);
    expect(`${notice.text}${notice.html}`).not.toContain(key);
  });

  it('keeps only a hash of the key, and says in the audit log that it was mailed', async () => {
    const { tenant, person, email, key } = await newMovingWorld();
    const rows = await rowsOf(tenant.id);
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(JSON.stringify(rows.events)).not.toContain(email);
    const { keys } = await env.KV.list({ prefix: 'email_change:' });
    expect(JSON.stringify(keys)).not.toContain(key);
    expect(await eventsAbout(person.cuid)).toContainEqual({
      type: 'user.email_change_sent',
      actor: `user:${person.userId}`,
    });
  });

  it('answers the same for an address that another customer has', async () => {
    const world = await newAccountWorld();
    const { service, app } = world;
    const taken = await newCustomer(service, app);
    const answers = [];
    for (const email of [taken.email, uniqueEmail()]) {
      const response = await world.change({ email });
      const { pending_email, ...others } = await response.json<Record<string, unknown>>();
      expect(pending_email).toBe(email);
      answers.push({ status: response.status, headers: [...response.headers.keys()], others });
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  it.each([
    ['as it is', (email: string) => email],
    ['in other letters', (email: string) => email.replace('person', 'PERSON')],
    ['with white space around it', (email: string) => `\t${email} `],
  ])('mails nothing for the address that the person has, %s', async (_, write) => {
    const world = await newAccountWorld();
    const { person, change, readSelf } = world;
    const email = write(person.email);
    const before = [await mailsTo(person.email), await mailsTo(email)];
    expect((await change({ email })).status).toBe(200);
    const self = await (await readSelf()).json<Record<string, unknown>>();
    expect(self.email).toBe(person.email);
    expect(self).not.toHaveProperty('pending_email');
    expect([await mailsTo(person.email), await mailsTo(email)]).toEqual(before);
  });

  it('mails an address once in 30 seconds and five times an hour, whoever asks', async () => {
    const world = await newAccountWorld();
    const { service, tenant, app, change } = world;
    const neighbour = await signIn(service, tenant, await newPerson(service, tenant, app));
    const email = uniqueEmail();
    const expectLimited = async (seconds: number, bearer?: string): Promise<void> => {
      const before = await peopleOf(world);
      const response = await change({ email: email.toUpperCase(), name: 'Eve' }, {}, bearer);
      expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
      expect(response.headers.get('Retry-After')).toBe(String(seconds));
      expect(await peopleOf(world)).toEqual(before);
    };
    for (let i = 0; i < 5; i++) {
      expect((await change({ email })).status).toBe(200);
      service.clock.advance(29);
      await expectLimited(i < 4 ? 1 : 3600 - 149, neighbour);
      service.clock.advance(1);
    }
    await expectLimited(3600 - 150);
    service.clock.advance(3600 - 150);
    expect((await change({ email })).status).toBe(200);
    expect(await mailsTo(email)).toHaveLength(6);
  });
});

describe('POST /customers/newemail_confirm', () => {
  it('makes the new address the one to sign in with, everywhere, and no longer the old one', async () => {
    const { service, app, person, email, confirm, readSelf, login } = await newMovingWorld();
    const response = await confirm();
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(await response.json()).toEqual({ result: 'updated' });
    const self = await (await readSelf()).json<Record<string, unknown>>();
    expect(self).toMatchObject({ id: person.cuid, email });
    expect(self).not.toHaveProperty('pending_email');
    expect([await login(person.password, email), await login()]).toEqual([200, 401]);
    expect((await readCustomer(service, app, person.cuid)).email).toBe(email);
    expect(await eventsAbout(person.cuid)).toContainEqual({ type: 'email.changed', actor: `user:${person.userId}` });
    expect((await newCustomer(service, app, { email: person.email })).cuid).not.toBe(person.cuid);
  });

  it('does it once: a second time changes nothing', async () => {
    const world = await newMovingWorld();
    expect((await world.confirm()).status).toBe(200);
    const before = await peopleOf(world);
    expect(await refusalOf(await world.confirm())).toEqual(REFUSED);
    expect(await peopleOf(world)).toEqual(before);
  });

  it('gives the account another version', async () => {
    const { change, confirm, readSelf } = await newMovingWorld();
    const etag = (await readSelf()).headers.get('ETag') ?? '';
    await confirm();
    expect(await refusalOf(await change({ name: 'Ada' }, { 'If-Match': etag }))).toMatchObject({ status: 412 });
  });

  it('keeps the address as it was written, and compares it without regard to case', async () => {
    const written = `New.${uniqueEmail()}`;
    const { service, app, person, confirm, readSelf, login } = await newMovingWorld({}, written);
    expect((await confirm()).status).toBe(200);
    expect(await (await readSelf()).json()).toMatchObject({ email: written });
    expect(await login(person.password, written.toLowerCase())).toBe(200);
    const body = { company: 'A company', email: written.toUpperCase() };
    const response = await service.call('POST', '/customer', { headers: appHeaders(app), body });
    expect(await refusalOf(response)).toMatchObject({ status: 409, code: 'email_taken' });
  });

  it('takes the key until 24 hours are over, and so long the address is pending', async () => {
    const { service, tenant, person, email, confirm, readSelf } = await newMovingWorld();
    service.clock.advance(DAY - 1);
    const bearer = await signIn(service, tenant, person);
    expect(await (await readSelf(bearer)).json()).toMatchObject({ email: person.email, pending_email: email });
    expect((await confirm()).status).toBe(200);
  });

  it('is pending no longer when the key has expired', async () => {
    const { service, tenant, person, readSelf } = await newMovingWorld();
    service.clock.advance(DAY);
    const self = await readSelf(await signIn(service, tenant, person));
    expect(await self.json()).not.toHaveProperty('pending_email');
  });

  const REFUSALS: Readonly<Record<string, (world: World) => Promise<Response>>> = {
    'a wrong key': ({ confirm, key }) => confirm({ key: wrongKeys(key, 1)[0] }),
    'no key at all': ({ confirm }) => confirm({ key: '' }),
    'the key in small letters': ({ confirm, key }) => confirm({ key: `${key.slice(0, -1).toLowerCase()}x` }),
    'the key with something behind it': ({ confirm, key }) => confirm({ key: `${key} ` }),
    'a key that has expired': ({ service, confirm }) => {
      service.clock.advance(DAY);
      return confirm();
    },
    'the key of an older change': async ({ change, confirm }) => {
      expect((await change({ email: uniqueEmail() })).status).toBe(200);
      return confirm();
    },
    'the key of the same change, mailed before': async ({ service, change, email, confirm }) => {
      service.clock.advance(30);
      expect((await change({ email })).status).toBe(200);
      return confirm();
    },
    'the key of somebody else': async ({ service, tenant, app, change, confirm }) => {
      const email = uniqueEmail();
      const bearer = await signIn(service, tenant, await newPerson(service, tenant, app));
      expect((await change({ email }, {}, bearer)).status).toBe(200);
      return confirm({ key: await keyMailedTo(email) });
    },
    'a reset code for a key': async ({ person, post, confirm }) => {
      await post('password_reset', { email: person.email, reset_uri: '/reset' });
      const { text } = await lastMailTo(person.email);
      return confirm({ key: /\/reset\/([A-Z0-9]{10})\b/.exec(text)?.[1] ?? '' });
    },
    'an identifier that nobody has': ({ confirm }) => confirm({ identifier: `usr_${'0'.repeat(26)}` }),
    'an identifier that is none': ({ confirm }) => confirm({ identifier: 'test-user-4' }),
    'the email address for an identifier': ({ confirm, person }) => confirm({ identifier: person.email }),
    'the host of another tenant': async ({ service, confirm }) => confirm({}, (await newTenant(service)).host),
  };

  it.each(Object.entries(REFUSALS))('refuses %s, and changes no address', async (_, present) => {
    const world = await newMovingWorld();
    expect(await refusalOf(await present(world))).toEqual(REFUSED);
    const { person, email, login } = world;
    expect([await login(), await login(person.password, email)]).toEqual([200, 401]);
  });

  it('refuses a key that was mailed to one address for another', async () => {
    const storage = breakable(env);
    const world = await newAccountWorld({}, createService(storage.bindings));
    const { person, change, post, login } = world;
    const [victim, own] = [uniqueEmail(), uniqueEmail()];
    expect((await change({ email: victim })).status).toBe(200);
    // The account is read, the key is kept in D1 and KV and mailed; then the change cannot be written.
    storage.failWhen((operation, count) => (operation === 'D1 batch' && count > 3 ? 'before' : null));
    expect((await change({ email: own })).status).toBe(503);
    storage.failWhen(null);
    const { identifier, secret } = linkIn(await lastMailTo(own), 'confirm-email');
    expect(await refusalOf(await post('newemail_confirm', { identifier, key: secret }))).toEqual(REFUSED);
    expect([await login(), await login(person.password, victim)]).toEqual([200, 401]);
  });

  it('is consumed by no GET or HEAD of the link, nor of the route', async () => {
    const world = await newMovingWorld();
    const { service, tenant, url, identifier, key, confirm } = world;
    const before = await rowsOf(tenant.id);
    for (const method of ['GET', 'HEAD']) {
      for (let i = 0; i < 6; i++) await service.call(method, url);
      const query = `identifier=${identifier}&key=${key}`;
      const response = await service.call(method, `${tenant.host}/customers/newemail_confirm?${query}`);
      expect([response.status, response.headers.get('Allow')]).toEqual([405, 'POST']);
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
    expect((await confirm()).status).toBe(200);
  });

  it('refuses an address that somebody else took meanwhile, and takes it when it is free again', async () => {
    const world = await newMovingWorld();
    const { service, tenant, app, email, confirm, login, person } = world;
    const rival = await newCustomer(service, app, { email: email.toUpperCase() });
    const before = await rowsOf(tenant.id);
    expect(await refusalOf(await confirm())).toMatchObject({ status: 409, code: 'email_taken' });
    expect(await rowsOf(tenant.id)).toEqual(before);
    const path = `/customer/${rival.cuid}`;
    expect((await service.call('DELETE', path, { headers: appHeaders(app) })).status).toBe(204);
    expect((await confirm()).status).toBe(200);
    expect(await login(person.password, email)).toBe(200);
  });

  it('takes the right key after four wrong ones, and not after five', async () => {
    for (const [wrong, status] of [
      [4, 200],
      [5, 400],
    ] as const) {
      const { person, email, key, confirm, login } = await newMovingWorld();
      for (const each of wrongKeys(key, wrong)) expect(await refusalOf(await confirm({ key: each }))).toEqual(REFUSED);
      expect((await confirm()).status).toBe(status);
      expect(await login(person.password, email)).toBe(status === 200 ? 200 : 401);
    }
  });

  it('refuses 20 wrong keys in an hour and no more, whether there is such a user or not', async () => {
    const { key, identifier, confirm } = await newMovingWorld();
    for (const whom of [identifier, `usr_${'0'.repeat(26)}`]) {
      for (const each of wrongKeys(key, 20)) {
        expect(await refusalOf(await confirm({ identifier: whom, key: each }))).toEqual(REFUSED);
      }
      const response = await confirm({ identifier: whom });
      expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
      expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    }
  });

  it('is told of in the log when wrong keys lock it', async () => {
    const { person, key, confirm } = await newMovingWorld();
    const keys = wrongKeys(key, 20);
    for (const each of keys.slice(0, 19)) await confirm({ key: each });
    expect(await locksOf(person.cuid)).toEqual([]);
    for (const each of keys.slice(19)) await confirm({ key: each });
    expect(await locksOf(person.cuid)).toEqual([{ actor: 'anonymous', data: '{"by":"email_change"}' }]);
  });

  it('tells every fault at once', async () => {
    const { post } = await newAccountWorld();
    const response = await post('newemail_confirm', { key: 5, admin: true });
    const problem = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
    expect([response.status, problem.code]).toEqual([400, 'validation_failed']);
    const faults = problem.errors.map(({ path, code }) => `${path} ${code}`);
    expect(faults.toSorted()).toEqual(['admin unknown_member', 'identifier required', 'key invalid']);
  });
});

describe('a confirmed address', () => {
  it('ends no session', async () => {
    const { confirm, readSelf } = await newMovingWorld();
    await confirm();
    expect((await readSelf()).status).toBe(200);
  });

  it('ends the reset code that was mailed to the old one', async () => {
    const { person, email, post, confirm, login } = await newMovingWorld();
    await post('password_reset', { email: person.email, reset_uri: '/reset' });
    const { text } = await lastMailTo(person.email);
    const code = /\/reset\/([A-Z0-9]{10})\b/.exec(text)?.[1] ?? '';
    expect(code).toHaveLength(10);
    expect((await confirm()).status).toBe(200);
    for (const each of [person.email, email]) {
      expect(await refusalOf(await post('do_reset', { email: each, code }))).toEqual(REFUSED);
    }
    expect(await login(person.password, email)).toBe(200);
  });
});
