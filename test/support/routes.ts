import { createApp } from '../../src/app.ts';
import { createPlatformOf } from '../../src/platform.ts';
import { readDocument } from './document.ts';
import { newCustomerBody, newUserBody } from './signups.ts';
import { uniqueEmail } from './tenants.ts';

/** A route as the OpenAPI document names it, e.g. `GET` and `/customer/{cuid}`. */
export type DocumentedRoute = { method: string; template: string };

/** What the parameters of a path stand for. */
export type Names = { cuid: string; email: string; identifier: string; slug: string; id: string; name?: string };

/** The routes that take credentials of this scheme of the OpenAPI document. */
export const routesWith = async (scheme: string): Promise<DocumentedRoute[]> => {
  const { paths } = await readDocument();
  return Object.entries(paths).flatMap(([template, operations]) =>
    Object.entries(operations)
      .filter(([, { security = [] }]) => security.some((each) => scheme in each))
      .map(([method]) => ({ method: method.toUpperCase(), template })),
  );
};

/** The names of the routes below a path that the Worker really has. */
export const servedRoutes = (path: string): string[] => {
  // Hono lists every handler of a chain: a route appears once for each of its own middleware.
  const handlers = createApp(createPlatformOf({ now: Date.now, fetch })).routes.filter((each) =>
    `${each.path}/`.startsWith(`${path}/`),
  );
  const templates = handlers
    .filter(({ method }) => method !== 'ALL')
    .map((each) => nameOf({ method: each.method, template: each.path.replace(/:(\w+)/g, '{$1}') }));
  return [...new Set(templates)].toSorted();
};

export const nameOf = ({ method, template }: DocumentedRoute): string => `${method} ${template}`;

/** Whether the path names a customer. */
export const namesCustomer = ({ template }: DocumentedRoute): boolean => /\{(cuid|email|identifier)\}/.test(template);

/** The bodies and queries without which a route refuses a call, whoever makes it. */
const BODIES: Readonly<Record<string, () => unknown>> = {
  'POST /customer': () => ({ company: 'A company', email: uniqueEmail() }),
  'PATCH /customer/{cuid}': () => ({ city: 'Ulm' }),
  'POST /v1/auth/customers/email': () => ({ email_address: uniqueEmail() }),
  'POST /v1/auth/signup': () => ({ customer: newCustomerBody(), user: newUserBody() }),
  'POST /v1/auth/users': () => newUserBody(),
  'PATCH /v1/auth/users/{id}': () => ({ first_name: 'Grace' }),
  'PUT /operator/v1/tenants/{slug}': () => ({ name: 'A tenant' }),
  'POST /operator/v1/tenants/{slug}/apps': () => ({ name: 'Another app' }),
  'PATCH /operator/v1/tenants/{slug}/apps/{id}': () => ({ name: 'A changed app' }),
  'POST /operator/v1/tenants/{slug}/apps/{id}/rotate': () => ({}),
  'PUT /operator/v1/tenants/{slug}/connections/{name}': () => ({
    ...{ type: 'oidc', issuer: 'https://idp.example.com', client_id: 'gatehouse', client_secret: 'secret' },
    ...{ domains: ['company.example'], signup: false },
  }),
  'PUT /operator/v1/tenants/{slug}/providers/{name}': () => ({
    type: 'oidc',
    issuer: 'https://idp.example.com',
    client_ids: ['gatehouse'],
    signup: false,
  }),
  'PUT /operator/v1/tenants/{slug}/flows/{name}': () => ({ steps: [{ kind: 'send_activation' }] }),
  'PUT /operator/v1/tenants/{slug}/webhooks/{name}': () => ({ url: 'https://hooks.example.com', events: ['*'] }),
  'POST /operator/v1/tenants/{slug}/webhooks/{name}/rotate': () => ({}),
  'PUT /operator/v1/tenants/{slug}/subscriptions/{id}': () => ({ name: 'News' }),
  'PATCH /operator/v1/tenants/{slug}/customers/{cuid}': () => ({ status: 'active' }),
  'POST /operator/v1/tenants/{slug}/keys/rotate': () => ({}),
  'PATCH /customers/self': () => ({ name: 'A changed name' }),
};

/** The bodies that are no JSON object. */
const LINES: Readonly<Record<string, () => string>> = {
  'POST /operator/v1/tenants/{slug}/customers/import': () => `{"email": "${uniqueEmail()}"}\n`,
};

const QUERIES: Readonly<Record<string, string>> = { 'DELETE /operator/v1/tenants/{slug}': '?confirm={slug}' };

type RouteCall = { body?: unknown; rawBody?: string };

/** The type of what a call sends, where it is not JSON. */
export const typeOf = ({ rawBody }: RouteCall): Record<string, string> =>
  rawBody === undefined ? {} : { 'Content-Type': 'application/x-ndjson' };

/** A call that the route grants to whoever has the right to make it. */
export const callTo = (route: DocumentedRoute, names: Names): { path: string; call: RouteCall } => {
  const body = BODIES[nameOf(route)]?.();
  const rawBody = LINES[nameOf(route)]?.();
  const path = `${route.template}${QUERIES[nameOf(route)] ?? ''}`.replace(/\{(\w+)\}/g, (_, parameter: string) => {
    const name = Object.entries({ ...names, tenantId: names.slug }).find(([known]) => known === parameter)?.[1];
    if (name === undefined) throw new Error(`It is not known what {${parameter}} of ${nameOf(route)} names`);
    return encodeURIComponent(name);
  });
  return { path, call: { ...(body !== undefined && { body }), ...(rawBody !== undefined && { rawBody }) } };
};
