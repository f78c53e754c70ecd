import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import { asserted, refused } from '../../support/oidc.ts';
import { newCheck, outOfTime, unavailable } from '../../support/provider-checks.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

const KEY = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const DATA = { ticket: 'T-1', 'with "quotes"': ['ä', 1, null] };

const ask = async (
  answer: ScriptedAnswer,
  { secret = `whsec_${KEY}`, path = newScriptedPath(), check = newCheck() } = {},
) => {
  await path.answer(answer);
  return check({ type: 'http', url: path.url, secret }, { kind: 'data', data: DATA });
};

describe('a tenant’s own endpoint', () => {
  it('is told what the caller sent, signed, and says who that is', async () => {
    const path = newScriptedPath();
    const now = Date.now();
    const claims = { subject: 'p-1', email: 'ada@example.com', email_verified: true, name: 'Ada L', given_name: 'Ada' };
    const outcome = await ask(jsonAnswer({ ...claims, more: 1 }), { path, check: newCheck({ now: () => now }) });
    const person = {
      email: 'ada@example.com',
      isEmailVerified: true,
      name: 'Ada L',
      givenName: 'Ada',
      familyName: null,
    };
    expect(outcome).toEqual({ kind: 'asserted', assertion: { subject: 'p-1', ...person }, amr: [], expiresAt: null });
    const [request] = await path.requests();
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request?.headers ?? {};
    expect(JSON.parse(request?.body ?? '')).toEqual(DATA);
    expect(request).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
    expect(id).toMatch(/^msg_[\w-]{43}$/);
    expect(timestamp).toBe(String(Math.floor(now / 1000)));
    const hmac = createHmac('sha256', Buffer.from(KEY, 'base64')).update(`${id}.${timestamp}.${request?.body}`);
    expect(signature).toBe(`v1,${hmac.digest('base64')}`);
  });

  it('sends no message twice under one name', async () => {
    const path = newScriptedPath();
    for (let times = 0; times < 3; times += 1) await ask(jsonAnswer({ subject: 'p-1' }), { path });
    const ids = (await path.requests()).map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(3);
  });

  it('need say no more than who it is', async () => {
    const nobody = { email: null, isEmailVerified: false, name: null, givenName: null, familyName: null };
    expect(await ask(jsonAnswer({ subject: 'p-1' }))).toMatchObject(asserted(nobody));
    expect(await ask(jsonAnswer({ subject: 'p-1', email: null, email_verified: true }))).toMatchObject(
      asserted(nobody),
    );
    expect(await ask(jsonAnswer({ subject: 'p-1', email: 'a@example.com' }))).toMatchObject(
      asserted({ email: 'a@example.com', isEmailVerified: false }),
    );
  });

  const answers: [string, object, ScriptedAnswer][] = [
    ['that knows nobody', refused('endpoint_error'), jsonAnswer({ error: 'no' }, { status: 401 })],
    ['that finds nothing there', refused('endpoint_error'), jsonAnswer({ subject: 'p-1' }, { status: 404 })],
    ['that takes note', refused('endpoint_error'), jsonAnswer({ subject: 'p-1' }, { status: 202 })],
    ['that says nothing', refused('endpoint_error'), { status: 204 }],
    ['that says an empty word', refused('endpoint_invalid'), { status: 200 }],
    ['that sends elsewhere', refused('endpoint_redirect'), { status: 307, headers: { Location: 'https://a.example' } }],
    ['that answers HTML', refused('endpoint_invalid'), htmlAnswer],
    ['that answers a list', refused('endpoint_invalid'), jsonAnswer([{ subject: 'p-1' }])],
    ['that names nobody', refused('endpoint_invalid'), jsonAnswer({ email: 'ada@example.com' })],
    ['that names a number', refused('endpoint_invalid'), jsonAnswer({ subject: 1 })],
    ['that names nothing', refused('endpoint_sub'), jsonAnswer({ subject: '' })],
    ['that names somebody at length', refused('endpoint_sub'), jsonAnswer({ subject: 'x'.repeat(256) })],
    ['that is "true"ly sure', refused('endpoint_invalid'), jsonAnswer({ subject: 'p-1', email_verified: 'true' })],
    ['whose address is none', refused('endpoint_invalid'), jsonAnswer({ subject: 'p-1', email: ['a@example.com'] })],
    ['that says too much', refused('endpoint_too_large'), jsonAnswer({ subject: 'p-1' }, { ending: 'endless' })],
    ['that is out of order', unavailable('endpoint_outage'), { status: 500 }],
    ['that has too much to do', unavailable('endpoint_outage'), { status: 429 }],
  ];
  for (const [what, outcome, answer] of answers) {
    it(`${what} lets nobody in`, async () => {
      expect(await ask(answer)).toEqual(outcome);
    });
  }

  it('that is silent, or stops in the middle, is given up', async () => {
    for (const answer of [SILENCE, jsonAnswer({ subject: 'p-1' }, { ending: 'stalled' })]) {
      const path = newScriptedPath();
      const outcome = await outOfTime(
        () => path.untilOpen(1),
        (deadline) => ask(answer, { path, check: newCheck({ deadline }) }),
      );
      expect(outcome).toEqual(unavailable('endpoint_timeout'));
    }
  });

  it('is told nothing without a secret to sign with', async () => {
    for (const secret of ['', KEY, 'whsec_', 'whsec_c2hvcnQ=', 'whsec_***']) {
      const path = newScriptedPath();
      expect(await ask(jsonAnswer({ subject: 'p-1' }), { path, secret })).toEqual(refused('endpoint_invalid'));
      expect(await path.requests()).toEqual([]);
    }
  });

  it('is told of data alone, in a public place', async () => {
    const provider = { type: 'http' as const, url: 'https://a.example', secret: `whsec_${KEY}` };
    const outcome = await newCheck()(provider, { kind: 'access_token', accessToken: 'x' });
    expect(outcome).toEqual(refused('credentials_kind'));
    for (const url of ['https://127.0.0.1', 'https://192.168.0.1', 'http://a.example', 'https://u:p@a.example']) {
      const check = newCheck({ allowsLoopback: false });
      expect(await check({ ...provider, url }, { kind: 'data', data: DATA })).toEqual(refused('endpoint_url'));
    }
  });
});
