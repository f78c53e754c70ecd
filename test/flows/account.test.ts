import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, newSignedInWorld, signIn } from '../support/accounts.ts';
import { lastMailTo } from '../support/mailbox.ts';
import { createService } from '../support/service.ts';
import { uniqueEmail } from '../support/tenants.ts';

describe('a person', () => {
  it('activates, signs in, changes the address, forgets the password, resets it and leaves', async () => {
    const service = createService();
    const { tenant, person, token } = await newSignedInWorld(service, {
      site_url: 'https://shop.example.com',
      origins: ['https://shop.example.com'],
    });
    const at = (path: string) => `${tenant.host}/customers/${path}`;
    const self = await service.call('GET', at('self'), { headers: bearerHeaders(token) });
    expect(await self.json()).toMatchObject({ email: person.email, id: person.cuid, subscriptions: [] });

    const newEmail = uniqueEmail();
    const changed = await service.call('PATCH', at('self'), {
      headers: bearerHeaders(token),
      body: { name: 'Ada', email: newEmail, country: 'Germany', address_town: 'Ulm' },
    });
    expect(await changed.json()).toMatchObject({
      name: 'Ada',
      email: person.email,
      pending_email: newEmail,
      country: 'DE',
      address_town: 'Ulm',
    });
    expect((await lastMailTo(person.email)).subject).toContain('new email address');
    const { identifier, secret } = linkIn(await lastMailTo(newEmail), 'confirm-email');
    const confirmed = await service.call('POST', at('newemail_confirm'), { body: { identifier, key: secret } });
    expect(await confirmed.json()).toEqual({ result: 'updated' });

    service.clock.advance(60);
    const asked = await service.call('POST', at('password_reset'), {
      body: { email: newEmail, reset_uri: '/customers/do_reset' },
    });
    expect(await asked.json()).toEqual({ result: 'email_sent' });
    const mail = await lastMailTo(newEmail);
    const code = /https:\/\/shop\.example\.com\/customers\/do_reset\/([A-Z0-9]{10})\s/.exec(mail.text)?.[1] ?? '';
    const reset = await service.call('POST', at('do_reset'), { body: { email: newEmail, code } });
    const answer = await reset.json<{ token: string }>();
    const { payload } = await jwtVerify<{ passphrase: string }>(answer.token, new TextEncoder().encode(code), {
      currentDate: new Date(service.clock.now()),
    });

    service.clock.advance(1);
    expect((await service.call('GET', at('self'), { headers: bearerHeaders(token) })).status).toBe(401);
    const newToken = await signIn(service, tenant, { email: newEmail, password: payload.passphrase });
    const deleted = await service.call('DELETE', at('self'), { headers: bearerHeaders(newToken) });
    expect(await deleted.json()).toEqual({ result: 'deleted' });
    expect((await service.call('GET', at('self'), { headers: bearerHeaders(newToken) })).status).toBe(401);
    const again = await service.call('POST', at('login'), { body: { email: newEmail, password: payload.passphrase } });
    expect(again.status).toBe(401);
  });
});
