import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';

const demoApp = z.object({ superkey: z.string(), supertoken: z.string() });

/** The demo app's pair. The service keeps only a hash of the token, so it is kept here for the next start. */
export type DemoApp = z.infer<typeof demoApp>;

type Service = { url: string; operatorToken: string };

const TENANT = '/operator/v1/tenants/demo';

/** Makes the `demo` tenant and its app through the operator surface, once: a later start finds them as they are then. */
export const ensureDemo = async (service: Service, site: string, file: string): Promise<DemoApp> => {
  const operate = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${service.url}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${service.operatorToken}`,
        // A type without a body is refused.
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  const found = await operate('GET', TENANT);
  if (found.status !== 404) {
    await expectOk(found);
  } else {
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
  const app = demoApp.parse(await created.json());
  writeFileSync(file, JSON.stringify(app), { mode: 0o600 });
  return app;
};

const readDemoApp = (file: string): DemoApp | null => {
  if (!existsSync(file)) return null;
  try {
    return demoApp.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Damaged, by a start that was cut short for instance: a new app is made.
    return null;
  }
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
