import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The demo app's pair. The service keeps only a hash of the token, so it is kept here for the next start. */
export type DemoApp = { superkey: string; supertoken: string };

type Service = { url: string; operatorToken: string };

const TENANT = '/operator/v1/tenants/demo';

/** Makes the `demo` tenant and its app through the operator surface, once: a later start finds them as they are then. */
export const ensureDemo = async (service: Service, site: string, file: string): Promise<DemoApp> => {
  const operate = async (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${service.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${service.operatorToken}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  if (
    (await fetch(`${service.url}${TENANT}`, { headers: { Authorization: `Bearer ${service.operatorToken}` } }))
      .status === 404
  ) {
    const profile = { name: 'Demo', site_url: site, origins: [site], redirect_uris: [`${site}/signed-in`] };
    await expectOk(await operate('PUT', TENANT, profile));
  }
  const known = readDemoApp(file);
  if (known && (await isAccepted(service, known))) return known;
  const created = await expectOk(
    await operate('POST', `${TENANT}/apps`, {
      name: 'Demo app',
      permissions: ['passcode', 'nopasscode', 'sso', 'all_customers'],
      platforms: [{ name: 'demo', url: `${site}/signed-in` }],
    }),
  );
  const { superkey, supertoken }: DemoApp = JSON.parse(await created.text());
  writeFileSync(file, JSON.stringify({ superkey, supertoken }), { mode: 0o600 });
  return { superkey, supertoken };
};

const readDemoApp = (file: string): DemoApp | null => {
  if (!existsSync(file)) return null;
  const app: DemoApp = JSON.parse(readFileSync(file, 'utf8'));
  return app;
};

const isAccepted = async ({ url }: Service, { superkey, supertoken }: DemoApp): Promise<boolean> => {
  const response = await fetch(`${url}/customer?limit=1`, {
    headers: { 'x-access-superkey': superkey, 'x-access-supertoken': supertoken },
  });
  return response.ok;
};

const expectOk = async (response: Response): Promise<Response> => {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
  return response;
};
