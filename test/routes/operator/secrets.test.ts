import { beforeAll, describe, expect, it } from 'vitest';
import { callAsOperator } from '../../support/operator.ts';
import { type DocumentedRoute, nameOf, routesWith } from '../../support/routes.ts';
import { rowsOf } from '../../support/rows.ts';
import { newTenantOfSecrets } from '../../support/secrets.ts';

const EXPORT = '/operator/v1/tenants/{slug}/customers/export';

const routes = (await routesWith('operator')).filter(({ method }) => method === 'GET');

/** A secret as it is, and as it would be in another dress. */
const dressesOf = (secret: string): string[] => {
  const bytes = new TextEncoder().encode(secret);
  return [
    ...[secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), bytes.toHex()],
    ...(['base64', 'base64url'] as const).map((alphabet) => bytes.toBase64({ alphabet, omitPadding: true })),
  ];
};

const secretsIn = (answer: string, secrets: readonly string[]): string[] =>
  secrets.filter((secret) => dressesOf(secret).some((dress) => answer.toLowerCase().includes(dress.toLowerCase())));

describe('no answer to the operator holds a secret, its hash or what it was sealed to', () => {
  let world: Awaited<ReturnType<typeof newTenantOfSecrets>>;
  beforeAll(async () => {
    world = await newTenantOfSecrets();
  });

  /** The paths that a route has in the tenant: one for each thing that it can name. */
  const pathsOf = async ({ template }: DocumentedRoute): Promise<string[]> => {
    const { tenant, owner } = world;
    const rows = await rowsOf(tenant.id);
    const namesOf = (table: string) => (rows[table] ?? []).map(({ name }) => String(name));
    const known: Readonly<Record<string, string[]>> = {
      '{slug}': [tenant.slug],
      '{cuid}': [owner.customerId, ...(rows.customers ?? []).map(({ id }) => String(id))],
      'connections/{name}': namesOf('connections'),
      'providers/{name}': namesOf('providers'),
      'flows/{name}': namesOf('flows'),
      'webhooks/{name}': namesOf('webhooks'),
      'subscriptions/{id}': ['news'],
    };
    return Object.entries(known).reduce(
      (paths, [named, values]) =>
        paths.flatMap((path) =>
          path.includes(named)
            ? values.map((value) => path.replace(named, named.replace(/\{\w+\}/, encodeURIComponent(value))))
            : [path],
        ),
      [template],
    );
  };

  it('to begin with, everything is there that could be told', () => {
    const { told, kept, passwordHashes } = world;
    expect(told.filter((secret) => secret.length < 6)).toEqual([]);
    expect(kept.length).toBeGreaterThan(40);
    expect(passwordHashes.length).toBeGreaterThan(0);
  });

  it.each(routes.map((route) => [nameOf(route), route] as const))('%s', async (_, route) => {
    const { service, told, kept, passwordHashes } = world;
    const paths = await pathsOf(route);
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) {
      expect(path).not.toContain('{');
      const response = await callAsOperator(service, 'GET', path);
      expect(response.status, path).toBe(200);
      const answer = JSON.stringify([...response.headers]) + (await response.text());
      expect(secretsIn(answer, [...told, ...kept, ...passwordHashes])).toEqual([]);
    }
  });

  it.runIf(routes.some(({ template }) => template === EXPORT))(
    'but the hashes of passwords, in an export that asks for them',
    async () => {
      const { service, tenant, told, kept, passwordHashes } = world;
      const path = `${EXPORT.replace('{slug}', tenant.slug)}?include=password_hashes`;
      const answer = await (await callAsOperator(service, 'GET', path)).text();
      expect(secretsIn(answer, [...told, ...kept])).toEqual([]);
      expect(secretsIn(answer, passwordHashes)).toEqual(passwordHashes);
    },
  );
});
