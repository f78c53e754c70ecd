import { describe, expect, it } from 'vitest';
import { hashPassword } from '../../src/crypto/passwords.ts';
import { bearerHeaders, linkIn } from '../support/accounts.ts';
import { newAuthenticationWorld, outcomeOf, textedCode, tokenIn } from '../support/authentications.ts';
import { importInto } from '../support/imports.ts';
import { mailedCode, newBrowser, signInByCode } from '../support/logins.ts';
import { lastMailTo } from '../support/mailbox.ts';
import { callAsOperator, customersOf } from '../support/operator.ts';
import { rowsOf } from '../support/rows.ts';
import { uniqueEmail } from '../support/tenants.ts';
import { textsTo, uniqueNumber } from '../support/texts.ts';
import { formsOf, putFlow } from '../support/upserts.ts';

/** An account on which somebody has left a password, a number and an identity, beside the address of somebody else. */
const newPlantedWorld = async (isVerified = false) => {
  const world = await newAuthenticationWorld();
  const { service, tenant, authenticate, answer, challenge, put } = world;
  await put('partner', { type: 'oidc', issuer: 'https://partner.example.com', client_ids: ['client'] });
  const [email, phone, password] = [uniqueEmail(), uniqueNumber(), `correct horse ${crypto.randomUUID()}`];
  const imported = await importInto(service, tenant, [
    {
      ...{ email, email_verified: isVerified, password_hash: await hashPassword(password) },
      ...{ phone_number: phone, phone_verified: true },
      identities: [{ provider: 'provider:partner', subject: 'planted' }],
    },
  ]);
  expect(imported).toMatchObject({ summary: { created: 1 } });
  const opened = async (token: string) =>
    (await service.call('GET', world.path, { headers: bearerHeaders(token) })).status;
  const byText = async () => answer(await challenge({ phone }), await textedCode(phone));
  const byPassword = async () => outcomeOf(await authenticate('password', { email, password }));
  if (!isVerified) expect(await byPassword()).toEqual([422, 'authentication_failed']);
  const early = await tokenIn(await byText());
  expect(await opened(early)).toBe(200);
  const [cuid = ''] = ((await rowsOf(tenant.id)).customers ?? []).map(({ id }) => String(id));
  service.clock.advance(31);
  return {
    ...world,
    ...{ email, phone, cuid, early, opened, byPassword, byText },
    forms: formsOf(service, tenant),
    secretFor: async (path: string) => linkIn(await lastMailTo(email), path),
    post: async (path: string, body: unknown) => {
      const response = await service.call('POST', `${tenant.host}/customers/${path}`, { body });
      expect(response.status, await response.clone().text()).toBeLessThan(300);
    },
    expectDead: async () => {
      service.clock.advance(31);
      expect(await byPassword()).toEqual([422, 'authentication_failed']);
      expect((await byText()).status).toBe(422);
      expect(await opened(early)).toBe(401);
      const { users, identities } = await rowsOf(tenant.id);
      expect(identities).toEqual([]);
      expect(users).toMatchObject([{ phone: null, phone_verified_at: null, activated_at: expect.any(Number) }]);
    },
  };
};

const NEW_PASSWORD = 'an entirely new passphrase';

describe('what was left on an account before its address was proved is dead after', () => {
  it('a sign-in by a mailed code at the forms, whose own token is good', async () => {
    const { signInByMail, email, opened, expectDead } = await newPlantedWorld();
    const token = await signInByMail(email);
    expect(await opened(token)).toBe(200);
    await expectDead();
    expect(await opened(token)).toBe(200);
  });

  it('a mailed challenge', async () => {
    const { forms, email, expectDead } = await newPlantedWorld();
    const id = await forms.hold({ email, name: 'Ada' });
    expect(await forms.answer(id, await mailedCode(email))).toMatchObject({ status: 200, body: { name: 'Ada' } });
    await expectDead();
  });

  it('a sign-in by a mailed code at the login surface, whose own session is good', async () => {
    const { service, tenant, email, opened, expectDead } = await newPlantedWorld();
    const browser = newBrowser(service, tenant.host);
    const { access_token: token } = await signInByCode(browser, email);
    expect(await opened(token)).toBe(200);
    await expectDead();
    expect((await browser.call('POST', '/v1/auth/refresh')).status).toBe(200);
  });

  it('a reset of the password, whose new one is good', async () => {
    const { authenticate, post, email, expectDead } = await newPlantedWorld();
    await post('password_reset', { email, reset_uri: '/reset' });
    const [, code = ''] = /\/reset\/([A-Z0-9]{10})/.exec((await lastMailTo(email)).text) ?? [];
    await post('do_reset', { email, code, password: NEW_PASSWORD, password_check: NEW_PASSWORD });
    await expectDead();
    await tokenIn(await authenticate('password', { email, password: NEW_PASSWORD }));
  });

  it('an activation, whose password is good', async () => {
    const { service, tenant, authenticate, post, secretFor, email, cuid, expectDead } = await newPlantedWorld();
    const users = customersOf(tenant, `/${cuid}/users`);
    const { items } = await (await callAsOperator(service, 'GET', users)).json<{ items: { id: string }[] }>();
    await callAsOperator(service, 'POST', `${users}/${items[0]?.id}/activation`, {});
    const { identifier, secret } = await secretFor('activate');
    await post('activate', { identifier, secret, password: NEW_PASSWORD, password_check: NEW_PASSWORD });
    await expectDead();
    await tokenIn(await authenticate('password', { email, password: NEW_PASSWORD }));
  });

  it('a challenge in a flow, whose next text does not go to the number', async () => {
    const { service, tenant, forms, email, phone, expectDead } = await newPlantedWorld();
    await putFlow(service, tenant, 'both', [
      { kind: 'challenge', channel: 'email' },
      { kind: 'challenge', channel: 'sms' },
    ]);
    const own = uniqueNumber();
    const held = await forms.hold({ email, phone: own }, { flow: 'both' });
    service.clock.advance(31);
    const { challenge } = (await forms.answer(held, await mailedCode(email))).body;
    expect(challenge).toMatchObject({ type: 'sms_otp', destination: `•••${own.slice(-2)}` });
    await expectDead();
    expect(await textsTo(phone)).toHaveLength(1);
  });

  it('a change of the address: nothing but the password, as whoever asked for it was signed in by the rest', async () => {
    const { service, tenant, forms, early, phone, post, byText } = await newPlantedWorld();
    const wanted = uniqueEmail();
    const [{ id } = { id: '' }] = (await rowsOf(tenant.id)).customers ?? [];
    await forms.store({ id, email: wanted }, { headers: bearerHeaders(early) });
    const { identifier, secret } = linkIn(await lastMailTo(wanted), 'confirm-email');
    await post('newemail_confirm', { identifier, key: secret });
    expect((await rowsOf(tenant.id)).users).toMatchObject([{ email: wanted, password_hash: null, phone }]);
    service.clock.advance(31);
    await tokenIn(await byText());
  });
});

describe('an address that was proved before', () => {
  it('keeps its password, its number and its identities when it is proved again', async () => {
    const { service, tenant, signInByMail, email, phone, byPassword, byText } = await newPlantedWorld(true);
    const { identities } = await rowsOf(tenant.id);
    await signInByMail(email);
    service.clock.advance(31);
    await signInByCode(newBrowser(service, tenant.host), email);
    expect(await byPassword()).toEqual([200, '']);
    await tokenIn(await byText());
    expect(await rowsOf(tenant.id)).toMatchObject({ identities, users: [{ phone }] });
  });
});
