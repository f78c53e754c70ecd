import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders } from '../../support/accounts.ts';
import { logOf } from '../../support/log.ts';
import { mailedCode } from '../../support/logins.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { offerSubscriptions } from '../../support/operator.ts';
import { wrongCodes } from '../../support/passcodes.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { appHeaders, newApp, newTenant, type TestTenant, uniqueEmail } from '../../support/tenants.ts';
import { textsTo, uniqueNumber } from '../../support/texts.ts';
import {
  createTextingService,
  faultsIn,
  formsOf,
  newPersonWorld,
  newUpsertWorld,
  putFlow,
  textedCode,
} from '../../support/upserts.ts';

const eventsOf = async (tenantId: string, type: string): Promise<Record<string, unknown>[]> =>
  ((await rowsOf(tenantId)).events ?? []).filter((event) => event.type === type);

/** A tenant with two lists, and a flow of these steps. */
const newFlowWorld = async (steps: unknown, service?: Service) => {
  const world = await newUpsertWorld({}, service);
  const { tenant } = world;
  await offerSubscriptions(world.service, tenant, 'news', 'offers');
  await putFlow(world.service, tenant, 'custom', steps);
  return {
    ...world,
    custom: (body: unknown, headers: Record<string, string> = {}) => world.post(body, { flow: 'custom', headers }),
  };
};

/** A code by mail, something to store, then a code by text. */
const MAIL_SET_TEXT = [
  { kind: 'challenge', channel: 'email' },
  { kind: 'set', members: { company: 'Proved' } },
  { kind: 'challenge', channel: 'sms' },
];

/** Has a code sent that signs somebody in. */
const askForCode = async (service: Service, { slug }: TestTenant, body: unknown): Promise<void> => {
  const path = `/api/${slug}/customer/authenticate?provider=otp`;
  expect((await service.call('POST', path, { body })).status).toBe(202);
};

/** What a tenant knows of its people, and what it says that became of them. */
const peopleOf = async (tenantId: string) => {
  const { customers, users, events } = await rowsOf(tenantId);
  return { customers, users, events: events?.filter(({ type }) => type !== 'login.failed') };
};

const idIn = ({ body }: { body: { challenge?: { id: string } } }): string => body.challenge?.id ?? '';

describe('the flow preregistration, which every tenant has', () => {
  it('makes the account, asks for a mailed code, and subscribes to all there is when it is answered', async () => {
    const { service, tenant, post, answer } = await newUpsertWorld();
    await offerSubscriptions(service, tenant, 'news', 'offers');
    const email = uniqueEmail();
    const asked = await post({ email, name: 'Ada' }, { flow: 'preregistration' });
    expect(asked).toMatchObject({ status: 202, body: { challenge: { type: 'email_otp' } } });
    expect((await rowsOf(tenant.id)).customer_subscriptions).toEqual([]);
    const done = await answer(idIn(asked), await mailedCode(email));
    expect(done).toMatchObject({
      status: 200,
      body: { email, name: 'Ada', emailVerified: true, subscriptions: ['news', 'offers'] },
    });
    expect(await mailsTo(email)).toHaveLength(1);
    expect((await answer(idIn(asked), await mailedCode(email))).status).toBe(410);
  });

  it('asks by text for an account that has a phone alone', async () => {
    const { service, tenant, post, answer } = await newUpsertWorld();
    await offerSubscriptions(service, tenant, 'news');
    const phone = uniqueNumber();
    const asked = await post({ phone }, { flow: 'preregistration' });
    expect(asked).toMatchObject({ status: 202, body: { challenge: { type: 'sms_otp' } } });
    expect(await answer(idIn(asked), await textedCode(phone))).toMatchObject({
      status: 200,
      body: { phone, email: null, phoneVerified: true, emailVerified: false, subscriptions: ['news'] },
    });
  });

  it('asks once alone for an account that is held anyway', async () => {
    const { service, tenant, store, post, answer } = await newUpsertWorld();
    await offerSubscriptions(service, tenant, 'news');
    const email = uniqueEmail();
    await store({ email });
    const asked = await post({ email, name: 'Ada' }, { flow: 'preregistration' });
    expect(asked.status).toBe(202);
    expect(await answer(idIn(asked), await mailedCode(email))).toMatchObject({
      status: 200,
      body: { name: 'Ada', subscriptions: ['news'] },
    });
    expect(await mailsTo(email)).toHaveLength(1);
  });
});

describe('a flow without a name', () => {
  it('is none: what is sent is filled and stored, and nothing else comes of it', async () => {
    const { service, tenant, path, store } = await newUpsertWorld({ profile_defaults: { company: 'Its default' } });
    await offerSubscriptions(service, tenant, 'news');
    const filled = { company: 'Its default', subscriptions: [], emailVerified: false };
    const email = uniqueEmail();
    expect(await store({ email }, { flow: '' })).toMatchObject(filled);
    expect(await mailsTo(email)).toEqual([]);
    const response = await service.call('POST', `${path}?flow`, { body: { email: uniqueEmail() } });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject(filled);
  });
});

describe('the flow activation, which every tenant has', () => {
  it('mails the link by which a new account chooses a password', async () => {
    const { store } = await newUpsertWorld();
    const email = uniqueEmail();
    await store({ email }, { flow: 'activation' });
    expect((await lastMailTo(email)).text).toMatch(/\/activate\/usr_\w+\/[A-Z0-9]{10,}/);
  });

  it('mails none to an account that is activated', async () => {
    const { store, person, own } = await newPersonWorld();
    await store({ email: person.email, name: 'Ada' }, { ...own, flow: 'activation' });
    expect(await mailsTo(person.email)).toHaveLength(1);
  });

  it('makes no account when its mail is refused', async () => {
    const { post, tenant } = await newUpsertWorld();
    const email = `refused-${crypto.randomUUID()}@example.com`;
    expect(await post({ email }, { flow: 'activation' })).toMatchObject({ body: { code: 'mail_refused' } });
    expect((await rowsOf(tenant.id)).customers).toEqual([]);
  });
});

describe('a flow that there is not', () => {
  it.each(['nothing', 'Activation', '__proto__', 'constructor', "' or 1=1"])(
    'is 404 by the name %s, and nothing is stored',
    async (flow) => {
      const { post, tenant, person, own } = await newPersonWorld();
      const before = await rowsOf(tenant.id);
      const refused = { status: 404, body: { code: 'flow_not_found' } };
      expect(await post({ email: uniqueEmail() }, { flow })).toMatchObject(refused);
      expect(await post({ email: person.email, name: 'Eve' }, { flow })).toMatchObject(refused);
      expect(await post({ email: person.email, name: 'Ada' }, { ...own, flow })).toMatchObject(refused);
      expect(await rowsOf(tenant.id)).toEqual(before);
    },
  );

  it('is one of another tenant', async () => {
    const { service } = await newFlowWorld([{ kind: 'send_activation' }]);
    const other = formsOf(service, await newTenant(service));
    expect((await other.post({ email: uniqueEmail() }, { flow: 'custom' })).status).toBe(404);
  });
});

describe('a flow of the operator', () => {
  it('takes the place of one that every tenant has', async () => {
    const { service, tenant, store } = await newUpsertWorld();
    await offerSubscriptions(service, tenant, 'news');
    await putFlow(service, tenant, 'activation', [{ kind: 'subscribe', subscriptions: ['news'] }]);
    const email = uniqueEmail();
    expect(await store({ email }, { flow: 'activation' })).toMatchObject({ subscriptions: ['news'] });
    expect(await mailsTo(email)).toEqual([]);
  });

  it('sets members that are missing, and no other', async () => {
    const { custom } = await newFlowWorld([{ kind: 'set', members: { company: 'None', timezone: 'Europe/Berlin' } }]);
    expect(await custom({ email: uniqueEmail(), company: 'Engines Ltd' })).toMatchObject({
      status: 200,
      body: { company: 'Engines Ltd', timezone: 'Europe/Berlin' },
    });
  });

  it('requires members: all that are missing are named, and nothing is stored', async () => {
    const { custom, tenant } = await newFlowWorld([
      { kind: 'require', members: ['company', 'address.city', 'shoeSize', 'name'] },
    ]);
    const before = await rowsOf(tenant.id);
    const refused = await custom({ email: uniqueEmail(), name: 'Ada', address: { country: 'GB' } });
    expect(refused.status).toBe(412);
    expect(faultsIn(refused)).toEqual(['address.city', 'company', 'shoeSize']);
    expect(await rowsOf(tenant.id)).toEqual(before);
    const full = { name: 'Ada', company: 'Engines Ltd', address: { city: 'London' }, shoeSize: 38 };
    expect(await custom({ email: uniqueEmail(), ...full })).toMatchObject({ status: 200, body: full });
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['email', () => ({ email: uniqueEmail() })],
    ['subscriptions', () => ({ subscriptions: ['news'] })],
    ['phone', () => ({ phone: uniqueNumber() })],
  ])('requires %s, which may be sent or on file', async (member, newSent) => {
    const { app, custom, store } = await newFlowWorld([{ kind: 'require', members: [member] }]);
    const newWhom = () => (member === 'email' ? { phone: uniqueNumber() } : { email: uniqueEmail() });
    const whom = newWhom();
    expect(faultsIn(await custom(whom))).toEqual([member]);
    const sent = newSent();
    expect(await custom({ ...whom, ...sent })).toMatchObject({ status: 200, body: sent });

    const asApp = appHeaders(app);
    const [{ id }, full] = [
      await store(newWhom(), { headers: asApp }),
      await store({ ...newWhom(), ...newSent() }, { headers: asApp }),
    ];
    expect(faultsIn(await custom({ id }, asApp))).toEqual([member]);
    expect((await custom({ id: full.id }, asApp)).status).toBe(200);
  });

  it('requires of a stranger to send what is on file, so that it does not learn what is', async () => {
    const { custom, store } = await newFlowWorld([{ kind: 'require', members: ['company'] }]);
    const email = uniqueEmail();
    await store({ email, company: 'Engines Ltd' });
    expect(await custom({ email })).toMatchObject({ status: 412, body: { errors: [{ path: 'company' }] } });
  });

  it('requires members behind a challenge before the challenge is sent', async () => {
    const { custom, tenant } = await newFlowWorld([
      { kind: 'challenge', channel: 'email' },
      { kind: 'require', members: ['company'] },
    ]);
    const email = uniqueEmail();
    expect(await custom({ email })).toMatchObject({ status: 412, body: { errors: [{ path: 'company' }] } });
    expect((await rowsOf(tenant.id)).customers).toEqual([]);
    expect((await custom({ email, company: 'Engines Ltd' })).status).toBe(202);
  });

  it('requires members of its own, and takes no prototype’s for them', async () => {
    const members = ['constructor', 'toString', '__proto__', 'valueOf.call', 'address.city'];
    const { custom } = await newFlowWorld([{ kind: 'require', members }]);
    const email = uniqueEmail();
    expect(faultsIn(await custom({ email, address: { city: 'Ulm' } }))).toEqual(members.slice(0, 4).toSorted());
    const other = await newFlowWorld([{ kind: 'require', members: ['constructor', 'toString'] }]);
    expect((await other.custom({ email, constructor: 'x', toString: 1 })).status).toBe(200);
  });

  it('notifies by an event with its name', async () => {
    const { custom, tenant } = await newFlowWorld([{ kind: 'notify', name: 'hello' }]);
    const { body } = await custom({ email: uniqueEmail() });
    const notices = await eventsOf(tenant.id, 'flow.notified');
    expect(notices).toMatchObject([{ subject: body.id, data: '{"name":"hello"}' }]);
  });

  it('goes on where it stopped, through two channels, and does each step once', async () => {
    const { custom, answer, tenant } = await newFlowWorld([
      { kind: 'subscribe', subscriptions: ['news'] },
      { kind: 'notify', name: 'before' },
      { kind: 'challenge', channel: 'email' },
      { kind: 'set', members: { company: 'Proved' } },
      { kind: 'notify', name: 'between' },
      { kind: 'challenge', channel: 'sms' },
      { kind: 'subscribe', subscriptions: ['offers'] },
      { kind: 'notify', name: 'after' },
    ]);
    const notices = async () =>
      (await eventsOf(tenant.id, 'flow.notified')).map(({ data }) => JSON.parse(String(data)).name).toSorted();
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    const first = await custom({ email, phone, name: 'Ada' });
    expect(first).toMatchObject({ status: 202, body: { challenge: { type: 'email_otp' } } });
    expect([await notices(), await textsTo(phone)]).toEqual([['before'], []]);
    const second = await answer(idIn(first), await mailedCode(email));
    expect(second).toMatchObject({ status: 202, body: { challenge: { type: 'sms_otp' } } });
    expect(await notices()).toEqual(['before', 'between']);
    expect((await answer(idIn(first), await mailedCode(email))).status).toBe(410);
    const done = await answer(idIn(second), await textedCode(phone));
    expect(done).toMatchObject({
      status: 200,
      body: {
        ...{ name: 'Ada', company: 'Proved', emailVerified: true, phoneVerified: true },
        subscriptions: expect.arrayContaining(['news', 'offers']),
      },
    });
    expect(await notices()).toEqual(['after', 'before', 'between']);
    expect((await answer(idIn(second), await textedCode(phone))).status).toBe(410);
    expect(await notices()).toEqual(['after', 'before', 'between']);
  });

  it('goes on with the steps that it had when it began', async () => {
    const { service, tenant, custom, answer } = await newFlowWorld([
      { kind: 'challenge', channel: 'email' },
      { kind: 'set', members: { company: 'Old' } },
    ]);
    const email = uniqueEmail();
    const asked = await custom({ email });
    await putFlow(service, tenant, 'custom', [{ kind: 'set', members: { company: 'New' } }]);
    expect(await answer(idIn(asked), await mailedCode(email))).toMatchObject({ body: { company: 'Old' } });
  });

  it('begins nothing when there is nowhere to send its code', async () => {
    const { custom, tenant } = await newFlowWorld([{ kind: 'challenge', channel: 'sms' }]);
    const before = await rowsOf(tenant.id);
    const refused = await custom({ email: uniqueEmail() });
    expect([refused.status, faultsIn(refused)]).toEqual([412, ['phone']]);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('begins nothing when its mail may not go out yet', async () => {
    const { service, tenant, custom } = await newFlowWorld([{ kind: 'challenge', channel: 'email' }]);
    const email = uniqueEmail();
    const asked = await service.call('POST', `/api/${tenant.slug}/customer/authenticate?provider=otp`, {
      body: { email },
    });
    expect(asked.status).toBe(202);
    expect(await custom({ email, name: 'Ada' })).toMatchObject({ status: 429 });
    expect((await rowsOf(tenant.id)).customers).toEqual([]);
  });

  it('leaves a right code good when there is nowhere to send the next one', async () => {
    const { service, tenant, custom, store, answer } = await newFlowWorld(MAIL_SET_TEXT);
    const app = await newApp(service, tenant, { permissions: ['all_customers'] });
    const email = uniqueEmail();
    const asked = await custom({ email });
    const code = await mailedCode(email);
    for (const wrong of wrongCodes(code, 2)) expect((await answer(idIn(asked), wrong)).status).toBe(422);
    const before = await peopleOf(tenant.id);
    for (let i = 0; i < 3; i += 1) {
      const refused = await answer(idIn(asked), code);
      expect([refused.status, faultsIn(refused)]).toEqual([412, ['phone']]);
    }
    expect(await peopleOf(tenant.id)).toEqual(before);
    const phone = uniqueNumber();
    await store({ email, phone }, { headers: appHeaders(app) });
    const next = await answer(idIn(asked), code);
    expect(next).toMatchObject({ status: 202, body: { challenge: { type: 'sms_otp' } } });
    expect(await answer(idIn(next), await textedCode(phone))).toMatchObject({
      status: 200,
      body: { company: 'Proved', emailVerified: true, phoneVerified: true },
    });
  });

  it('leaves a right code good where texts are not set up', async () => {
    const service = createTextingService({ SMS_URL: undefined });
    const { tenant, custom, answer } = await newFlowWorld(MAIL_SET_TEXT, service);
    const email = uniqueEmail();
    const asked = await custom({ email, phone: uniqueNumber() });
    const code = await mailedCode(email);
    const before = await peopleOf(tenant.id);
    expect((await answer(idIn(asked), wrongCodes(code, 1)[0] ?? '')).status).toBe(422);
    expect(await answer(idIn(asked), code)).toMatchObject({ status: 422, body: { code: 'sms_unavailable' } });
    expect(await peopleOf(tenant.id)).toEqual(before);
    const texting = formsOf(createTextingService(), tenant);
    expect((await texting.answer(idIn(asked), code)).status).toBe(202);
  });

  it('leaves a right code good when the next text may not go out yet', async () => {
    const { service, tenant, custom, answer } = await newFlowWorld(MAIL_SET_TEXT);
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    await askForCode(service, tenant, { phone });
    service.clock.advance(10);
    const asked = await custom({ email, phone });
    const code = await mailedCode(email);
    const before = await peopleOf(tenant.id);
    for (let i = 0; i < 3; i += 1) expect((await answer(idIn(asked), code)).status).toBe(429);
    expect([await peopleOf(tenant.id), await textsTo(phone)]).toEqual([before, []]);
    service.clock.advance(21);
    expect(await answer(idIn(asked), code)).toMatchObject({ status: 202, body: { challenge: { type: 'sms_otp' } } });
    expect(await textsTo(phone)).toHaveLength(1);
  });

  it('leaves a right code good when its link may not go out yet, and mails it later', async () => {
    const { service, tenant, custom, answer } = await newFlowWorld([
      { kind: 'challenge', channel: 'sms' },
      { kind: 'send_activation' },
    ]);
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    await askForCode(service, tenant, { email });
    const asked = await custom({ email, phone });
    const code = await textedCode(phone);
    expect((await answer(idIn(asked), code)).status).toBe(429);
    service.clock.advance(31);
    expect(await answer(idIn(asked), code)).toMatchObject({ status: 200, body: { email } });
    expect((await lastMailTo(email)).text).toContain('/activate/');
  });

  it('is done, though its link is refused after the answer, which the log tells; another need not wait', async () => {
    const { service, tenant, custom, answer, post } = await newFlowWorld([
      { kind: 'challenge', channel: 'sms' },
      { kind: 'send_activation' },
      { kind: 'set', members: { company: 'Proved' } },
    ]);
    const app = await newApp(service, tenant, { permissions: ['all_customers'] });
    const [email, phone] = [`refused-${uniqueEmail()}`, uniqueNumber()];
    const asked = await custom({ email, phone });
    const code = await textedCode(phone);
    const log = await logOf(async () => {
      const done = await answer(idIn(asked), code);
      expect(done).toMatchObject({ status: 200, body: { email, company: 'Proved' } });
    });
    expect(log).toContain('"deferred":true,"code":"mail_refused"');
    expect(log).not.toContain(email);
    expect(await eventsOf(tenant.id, 'user.activation_sent')).toEqual([]);
    const again = await post({ email }, { flow: 'activation', headers: appHeaders(app) });
    expect(again).toMatchObject({ status: 500, body: { code: 'mail_refused' } });
  });

  it('goes on with a text, though the link to a new address is refused', async () => {
    const { custom, store, answer } = await newFlowWorld(MAIL_SET_TEXT);
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    const { id } = await store({ email, phone });
    const asked = await custom({ id, email: `refused-${uniqueEmail()}` });
    const next = await answer(idIn(asked), await mailedCode(email));
    expect(next).toMatchObject({ status: 202, body: { challenge: { type: 'sms_otp' } } });
    expect(await answer(idIn(next), await textedCode(phone))).toMatchObject({
      status: 200,
      body: { email, company: 'Proved', phoneVerified: true },
    });
  });

  it('says what it has stored where its next code is refused, and can be begun again', async () => {
    let sendsTexts = false;
    const service = createService({}, async (...request) =>
      sendsTexts ? fetch(...request) : new Response(null, { status: 500 }),
    );
    const { tenant, custom, answer } = await newFlowWorld(MAIL_SET_TEXT, service);
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    const first = await custom({ email, phone });
    const code = await mailedCode(email);
    expect(await answer(idIn(first), code)).toMatchObject({
      status: 500,
      body: { code: 'mail_refused', message: expect.stringContaining('is stored') },
    });
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ company: 'Proved' }]);
    expect((await answer(idIn(first), code)).status).toBe(410);
    sendsTexts = true;
    service.clock.advance(31);
    const again = await custom({ email, phone });
    const next = await answer(idIn(again), await mailedCode(email));
    expect(next).toMatchObject({ status: 202, body: { challenge: { type: 'sms_otp' } } });
    expect((await answer(idIn(next), await textedCode(phone))).status).toBe(200);
  });

  it('mails the link and the code at once, and is over for its address then', async () => {
    const { service, custom, post, answer } = await newFlowWorld([
      { kind: 'send_activation' },
      { kind: 'challenge', channel: 'email' },
    ]);
    const email = uniqueEmail();
    const asked = await custom({ email, name: 'Ada' });
    expect(asked).toMatchObject({ status: 202, body: { challenge: { type: 'email_otp' } } });
    const code = await mailedCode(email);
    expect((await mailsTo(email)).map(({ text = '' }) => text.includes('/activate/'))).toEqual([true, false]);
    expect(await post({ email })).toMatchObject({ status: 429 });
    expect(await answer(idIn(asked), code)).toMatchObject({ status: 200, body: { name: 'Ada', emailVerified: true } });
    expect(await mailsTo(email)).toHaveLength(2);
    service.clock.advance(31);
    expect(await post({ email })).toMatchObject({ status: 202 });
  });

  it('mails a code soon after its link, with a text between them', async () => {
    const { custom, answer } = await newFlowWorld([
      { kind: 'send_activation' },
      { kind: 'challenge', channel: 'sms' },
      { kind: 'challenge', channel: 'email' },
    ]);
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    const first = await custom({ email, phone });
    expect(first).toMatchObject({ status: 202, body: { challenge: { type: 'sms_otp' } } });
    const second = await answer(idIn(first), await textedCode(phone));
    expect(second).toMatchObject({ status: 202, body: { challenge: { type: 'email_otp' } } });
    expect(await answer(idIn(second), await mailedCode(email))).toMatchObject({
      status: 200,
      body: { emailVerified: true, phoneVerified: true },
    });
    expect(await custom({ email })).toMatchObject({ status: 429 });
  });

  it('mails both or neither where the hour leaves room for one alone', async () => {
    const { service, tenant, custom } = await newFlowWorld([
      { kind: 'send_activation' },
      { kind: 'challenge', channel: 'email' },
    ]);
    const email = uniqueEmail();
    const path = `/api/${tenant.slug}/customer/authenticate?provider=otp`;
    for (let i = 0; i < 4; i += 1) {
      expect((await service.call('POST', path, { body: { email } })).status).toBe(202);
      service.clock.advance(31);
    }
    const before = await mailsTo(email);
    expect(await custom({ email })).toMatchObject({ status: 429 });
    expect((await rowsOf(tenant.id)).customers).toEqual([]);
    expect(await mailsTo(email)).toEqual(before);
    service.clock.advance(3600);
    expect(await custom({ email })).toMatchObject({ status: 202 });
  });

  it('is run for the account’s own token without holding what was sent', async () => {
    const { service, tenant, person, post, own, answer } = await newPersonWorld();
    await offerSubscriptions(service, tenant, 'news');
    const asked = await post({ email: person.email, name: 'Ada' }, { ...own, flow: 'preregistration' });
    expect(asked.status).toBe(202);
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: 'Ada' }]);
    expect(await answer(idIn(asked), await mailedCode(person.email))).toMatchObject({
      status: 200,
      body: { name: 'Ada', subscriptions: ['news'] },
    });
  });
});

describe('a number that is proved in a flow', () => {
  const [MAIL, TEXT] = [
    { kind: 'challenge', channel: 'email' },
    { kind: 'challenge', channel: 'sms' },
  ];

  it('is one to be known by when the address is proved, too, in whatever order', async () => {
    for (const steps of [
      [MAIL, TEXT],
      [TEXT, MAIL],
    ]) {
      const { custom, answer } = await newFlowWorld(steps);
      const [email, phone] = [uniqueEmail(), uniqueNumber()];
      const codes = { email_otp: () => mailedCode(email), sms_otp: () => textedCode(phone) };
      let step = await custom({ email, phone });
      for (let i = 0; i < 2; i += 1) {
        const code = await (step.body.challenge?.type === 'sms_otp' ? codes.sms_otp() : codes.email_otp());
        step = await answer(idIn(step), code);
      }
      expect(step).toMatchObject({ status: 200, body: { phone, emailVerified: true, phoneVerified: true } });
    }
  });

  /** A person who is signed in and known by a number, too. */
  const newNumberWorld = async () => {
    const world = await newPersonWorld();
    const { service, tenant, person, post, answer, own } = world;
    await putFlow(service, tenant, 'text', [TEXT]);
    const prove = async (phone: string) => {
      const asked = await post({ id: person.cuid, phone }, { ...own, flow: 'text' });
      return answer(idIn(asked), await textedCode(phone));
    };
    const phone = uniqueNumber();
    expect(await prove(phone)).toMatchObject({ status: 200, body: { phone, phoneVerified: true } });
    service.clock.advance(31);
    return { ...world, phone, prove, idBy: (number: string) => idByText(service, tenant, number) };
  };

  it.each(['itself', 'an app'])('takes the place of the one before, which %s ends by naming another', async (who) => {
    const { service, app, person, store, own, phone, prove, idBy } = await newNumberWorld();
    const next = uniqueNumber();
    const by = who === 'itself' ? own : { headers: appHeaders(app) };
    expect(await idBy(phone)).toBe(person.cuid);
    service.clock.advance(31);
    expect(await store({ id: person.cuid, phone: next }, by)).toMatchObject({ phone: next, phoneVerified: false });
    expect([await idBy(phone), await idBy(next)]).toEqual([null, null]);
    service.clock.advance(31);
    expect(await prove(next)).toMatchObject({ status: 200, body: { phone: next, phoneVerified: true } });
    service.clock.advance(31);
    expect([await idBy(phone), await idBy(next)]).toEqual([null, person.cuid]);
  });

  it('is taken from an account that was made for it by somebody who never proved it', async () => {
    const { service, tenant, store, person, prove, idBy } = await newNumberWorld();
    const wanted = uniqueNumber();
    const { id: other } = await store({ phone: wanted });
    expect(await prove(wanted)).toMatchObject({ status: 200, body: { phone: wanted, phoneVerified: true } });
    service.clock.advance(31);
    expect(await idBy(wanted)).toBe(person.cuid);
    expect((await rowsOf(tenant.id)).users).toContainEqual(
      expect.objectContaining({ customer_id: other, phone: null }),
    );
    const told = (await eventsOf(tenant.id, 'customer.updated')).filter(({ subject }) => subject === other);
    expect(told).toMatchObject([{ actor: 'system', ip: null, data: '{"proved":"elsewhere"}' }]);
  });

  it('is refused by its name where another account has proved it', async () => {
    const { service, tenant, store, person, prove, idBy } = await newNumberWorld();
    const wanted = uniqueNumber();
    const { id: other } = await store({ phone: wanted });
    expect(await idBy(wanted)).toBe(other);
    service.clock.advance(31);
    expect(await prove(wanted)).toMatchObject({ status: 409, body: { code: 'phone_taken' } });
    service.clock.advance(31);
    expect(await idBy(wanted)).toBe(other);
    expect((await rowsOf(tenant.id)).users).toContainEqual(
      expect.objectContaining({ customer_id: person.cuid, phone: expect.not.stringContaining(wanted) }),
    );
  });

  it('is taken away for good, where there is an address', async () => {
    const { person, store, own, phone, idBy } = await newNumberWorld();
    const cleared = await store({ id: person.cuid, phone: null }, own);
    expect(cleared).toMatchObject({ phone: null, phoneVerified: false, emailVerified: true });
    expect(await idBy(phone)).toBeNull();
  });

  it('is not taken away where the account is known by nothing else', async () => {
    const { service, tenant, store, post, idBy, tokenBy } = await newPhoneWorld();
    const phone = uniqueNumber();
    const { id } = await store({ phone });
    const own = { headers: bearerHeaders(await tokenBy(phone)) };
    const refused = await post({ id, phone: null }, own);
    expect([refused.status, faultsIn(refused)]).toEqual([412, ['phone']]);
    service.clock.advance(31);
    expect(await idBy(phone)).toBe(id);
    const [{ id: userId } = { id: '' }] = (await rowsOf(tenant.id)).users ?? [];
    await env.DB.prepare("insert into identities values (?, 'provider:partner', 'person', ?, 0)")
      .bind(tenant.id, userId)
      .run();
    expect(await store({ id, phone: null }, own)).toMatchObject({ phone: null });
    expect(await store({ id, name: 'Ada' }, own)).toMatchObject({ phone: null, name: 'Ada' });
  });

  it('takes the place of the one before where the account is known by nothing else', async () => {
    const { service, tenant, store, post, answer, idBy, tokenBy } = await newPhoneWorld();
    await putFlow(service, tenant, 'text', [TEXT]);
    const [phone, next] = [uniqueNumber(), uniqueNumber()];
    const { id } = await store({ phone });
    const own = { headers: bearerHeaders(await tokenBy(phone)) };
    const asked = await post({ id, phone: next }, { ...own, flow: 'text' });
    expect(await answer(idIn(asked), await textedCode(next))).toMatchObject({
      status: 200,
      body: { id, phone: next, phoneVerified: true },
    });
    service.clock.advance(31);
    expect([await idBy(phone), await idBy(next)]).toEqual([null, id]);
  });
});

/** The token that a text to the number gives; null where nobody is known by it. */
const tokenByText = async (service: Service, { slug }: TestTenant, phone: string): Promise<string | null> => {
  const path = `/api/${slug}/customer/authenticate?provider=otp`;
  const before = (await textsTo(phone)).length;
  const asked = await service.call('POST', path, { body: { phone } });
  const { challenge } = await asked.json<{ challenge: { id: string } }>();
  if ((await textsTo(phone)).length === before) return null;
  const body = { challenge: { id: challenge.id, code: await textedCode(phone) } };
  return (await service.call('POST', path, { body })).json<string>();
};

const idByText = async (service: Service, tenant: TestTenant, phone: string): Promise<string | null> => {
  const token = await tokenByText(service, tenant, phone);
  const response = token === null ? null : await formsOf(service, tenant).read(token);
  return response && (await response.json<{ id: string }>()).id;
};

const newPhoneWorld = async () => {
  const world = await newUpsertWorld();
  const { service, tenant } = world;
  return {
    ...world,
    idBy: (number: string) => idByText(service, tenant, number),
    tokenBy: async (number: string) => (await tokenByText(service, tenant, number)) ?? '',
  };
};
