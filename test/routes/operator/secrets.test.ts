import { beforeAll, describe, expect, it } from 'vitest';
import { hashToken } from '../../../src/crypto/hashing.ts';
import { callAsOperator } from '../../support/operator.ts';
import { callTo, type DocumentedRoute, type Names, nameOf, routesWith, typeOf } from '../../support/routes.ts';
import { rowsOf } from '../../support/rows.ts';
import { newTenantOfSecrets, type OperatorAnswer } from '../../support/secrets.ts';
import { operatorHeaders, uniqueEmail } from '../../support/tenants.ts';

const TENANT = '/operator/v1/tenants/{slug}';

/** The secrets that are documented to be told once: where they were just made. */
const TOLD_ONCE: Readonly<Record<string, string>> = {
  [`POST ${TENANT}/apps`]: 'supertoken',
  [`POST ${TENANT}/apps/{id}/rotate`]: 'supertoken',
  [`PUT ${TENANT}/webhooks/{name}`]: 'secret',
  [`POST ${TENANT}/webhooks/{name}/rotate`]: 'secret',
};

const METHODS = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'];

/** What takes things away comes last, and the tenant after all that is in it. */
const routes = (await routesWith('operator')).toSorted(
  (a, b) => METHODS.indexOf(a.method) - METHODS.indexOf(b.method) || b.template.length - a.template.length,
);

const HASH = '$2b$04$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
const NO_HASH = 'canary of no hash 4711';

/** One customer that is created, and one that is refused. */
const IMPORTED = [HASH, NO_HASH]
  .map((password_hash) => `${JSON.stringify({ email: uniqueEmail(), password_hash })}\n`)
  .join('');

/** A secret as it is, and as it would be in another dress. */
const dressesOf = (secret: string): string[] => {
  const bytes = new TextEncoder().encode(secret);
  return [
    ...[secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), bytes.toHex()],
    ...(['base64', 'base64url'] as const).map((alphabet) => bytes.toBase64({ alphabet, omitPadding: true })),
  ];
};

const secretsIn = (answer: string, secrets: Iterable<string>): string[] =>
  [...secrets].filter((secret) =>
    dressesOf(secret).some((dress) => answer.toLowerCase().includes(dress.toLowerCase())),
  );

/** Every text in an answer, with the member that it is. */
const textsIn = (value: unknown, member = ''): { member: string; text: string }[] => {
  if (typeof value === 'string') return [{ member, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => textsIn(each, name));
};

const linesOf = (text: string): unknown[] => text.split('\n').flatMap((line) => (line === '' ? [] : JSON.parse(line)));

const routeOf = ({ method, path }: OperatorAnswer): string => {
  const route = routes.find(
    (each) => each.method === method && new RegExp(`^${each.template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  return route ? nameOf(route) : '';
};

/** The members that an answer may tell a secret in. */
const membersToldIn = (answer: OperatorAnswer): string[] => {
  const member = TOLD_ONCE[routeOf(answer)];
  const isChosen = typeof answer.asked === 'object' && answer.asked !== null && 'secret' in answer.asked;
  return member !== undefined && answer.status === 201 && !isChosen ? [member] : [];
};

describe('no answer to the operator holds a secret, its hash or what it was sealed to', () => {
  let world: Awaited<ReturnType<typeof newTenantOfSecrets>>;
  /** All that was ever kept of a secret, and the secrets that an answer was allowed to tell. */
  const kept = new Set<string>();
  const toldOnce = new Set<string>();

  beforeAll(async () => {
    world = await newTenantOfSecrets();
  });

  /** Whether a text is a secret, if only one that was just made: of tokens a hash is kept, and others look like one. */
  const isSecret = async (text: string) => kept.has(await hashToken(text)) || /^whsec_|PRIVATE KEY/.test(text);

  /** Looks through all answers since the last time. */
  const expectNothingTold = async (): Promise<void> => {
    for (const secret of await world.readKept()) kept.add(secret);
    for (const answer of world.answers.splice(0)) {
      const told: { member: string; text: string }[] = [];
      for (const each of textsIn(linesOf(answer.text))) {
        if (await isSecret(each.text)) told.push(each);
      }
      const where = `${answer.method} ${answer.path} → ${answer.status}`;
      expect(
        told.map(({ member }) => member),
        where,
      ).toEqual(membersToldIn(answer));
      let rest = answer.head + answer.text;
      for (const { text } of told) {
        expect(toldOnce, where).not.toContain(text);
        rest = rest.replace(text, '');
      }
      expect(
        secretsIn(rest, [...world.told, HASH, NO_HASH, ...kept, ...world.passwordHashes, ...toldOnce]),
        where,
      ).toEqual([]);
      for (const { text } of told) toldOnce.add(text);
    }
  };

  /** What a route can be called for in the tenant. */
  const casesOf = async ({ template }: DocumentedRoute): Promise<Names[]> => {
    const { tenant, newcomer } = world;
    const rows = await rowsOf(tenant.id);
    const namesOf = (table: string, names: Readonly<Record<string, string>>) =>
      (rows[table] ?? [])
        .filter((row) => row.revoked_at === undefined || row.revoked_at === null)
        .map((row) => Object.fromEntries(Object.entries(names).map(([name, column]) => [name, String(row[column])])));
    const known: Readonly<Record<string, Partial<Names>[]>> = {
      'connections/{name}': namesOf('connections', { name: 'name' }),
      'providers/{name}': namesOf('providers', { name: 'name' }),
      'flows/{name}': namesOf('flows', { name: 'name' }),
      'deliveries/{id}': namesOf('deliveries', { name: 'webhook', id: 'event_id' }).slice(0, 1),
      'webhooks/{name}': namesOf('webhooks', { name: 'name' }),
      'subscriptions/{id}': namesOf('subscriptions', { id: 'id' }),
      'apps/{id}': namesOf('apps', { id: 'id' }),
      'sessions/{id}': namesOf('sessions', { cuid: 'customer_id', id: 'id' }),
      'users/{id}': namesOf('users', { cuid: 'customer_id', id: 'id' }).filter(({ cuid }) => cuid === newcomer.cuid),
      'customers/{cuid}': namesOf('customers', { cuid: 'id' }),
    };
    const [, cases] = Object.entries(known).find(([named]) => template.includes(named)) ?? ['', [{}]];
    return cases.map((names) => ({ cuid: '', email: '', identifier: '', id: '', ...names, slug: tenant.slug }));
  };

  it('to begin with, everything is there that could be told', async () => {
    const { told, passwordHashes, readKept } = world;
    expect(told.filter((secret) => secret.length < 6)).toEqual([]);
    expect((await readKept()).length).toBeGreaterThan(40);
    expect(passwordHashes.length).toBeGreaterThan(0);
  });

  it('when it is made, nothing is told but what is documented to be told then', async () => {
    const made = new Set(world.answers.map(routeOf));
    expect([...made]).toEqual(expect.arrayContaining(Object.keys(TOLD_ONCE)));
    await expectNothingTold();
    expect(toldOnce.size).toBeGreaterThanOrEqual(Object.keys(TOLD_ONCE).length);
  });

  it('but the hashes of passwords, in an export that asks for them', async () => {
    const { service, tenant, told, passwordHashes, answers, readKept } = world;
    const path = `${TENANT.replace('{slug}', tenant.slug)}/customers/export?include=password_hashes`;
    await callAsOperator(service, 'GET', path);
    const text = answers
      .splice(0)
      .map((answer) => answer.text)
      .join('');
    expect(secretsIn(text, [...told, ...(await readKept())])).toEqual([]);
    expect(secretsIn(text, passwordHashes)).toEqual(passwordHashes);
  });

  it.each(routes.map((route) => [nameOf(route), route] as const))('%s', async (_, route) => {
    const { service, profiles } = world;
    const cases = await casesOf(route);
    expect(cases.length).toBeGreaterThan(0);
    for (const names of cases) {
      const { path, call } = callTo(route, names);
      const profile = route.method === 'PUT' ? profiles[path] : undefined;
      const response = await service.call(route.method, path, {
        headers: { ...operatorHeaders, ...typeOf(call) },
        ...(call.rawBody === undefined ? { body: profile ?? call.body } : { rawBody: IMPORTED }),
      });
      expect(response.status, path).toBeLessThan(300);
    }
    await expectNothingTold();
  });
});
