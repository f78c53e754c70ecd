import { describe, expect, it } from 'vitest';
import { putConnection } from '../../support/connections.ts';
import { rowsOf } from '../../support/rows.ts';
import { alter, idp } from '../../support/saml.ts';
import { samlMembers } from '../../support/saml-companies.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant } from '../../support/tenants.ts';

const OIDC = {
  ...{ type: 'oidc', issuer: 'https://idp.example.com', client_id: 'gatehouse', client_secret: 'secret' },
  ...{ domains: ['acme.example'], signup: false },
};

const without = (body: object, ...names: string[]) =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));

/** Fails unless exactly these members are refused, and nothing is stored. */
const expectFaults = async (
  body: unknown,
  paths: string[],
  { service = createService(), name = 'acme' }: { service?: Service; name?: string } = {},
): Promise<void> => {
  const tenant = await newTenant(service);
  const before = await rowsOf(tenant.id);
  const response = await putConnection(service, tenant, name, body);
  const { code, errors = [] } = await response.json<{ code: string; errors?: { path: string }[] }>();
  expect([response.status, code]).toEqual([400, 'validation_failed']);
  expect([...new Set(errors.map(({ path }) => path))].toSorted()).toEqual(paths.toSorted());
  expect(await rowsOf(tenant.id)).toEqual(before);
};

describe('a connection is refused', () => {
  const faulty: [string, unknown, string[]][] = [
    ['without anything', {}, ['type']],
    ['of another type', { ...OIDC, type: 'ldap' }, ['type']],
    [
      'of OpenID, with nothing but its type',
      { type: 'oidc' },
      ['domains', 'signup', 'issuer', 'client_id', 'client_secret'],
    ],
    ['of SAML, with nothing but its type', { type: 'saml' }, ['domains', 'signup']],
    ['with an unknown member', { ...OIDC, is_admin: true }, ['is_admin']],
    ['of OpenID, with members of SAML', { ...OIDC, sso_url: 'https://idp.example.com' }, ['sso_url']],
    ['of SAML, with members of OpenID', samlMembers({ client_secret: 'x' }), ['client_secret']],
    ['with a switch that is a text', { ...OIDC, signup: 'yes' }, ['signup']],
    [
      'with an empty client id and secret',
      { ...OIDC, client_id: ' ', client_secret: '' },
      ['client_id', 'client_secret'],
    ],
    [
      'with members that are too long',
      { ...OIDC, client_id: 'x'.repeat(1001), client_secret: 'x'.repeat(1001) },
      ['client_id', 'client_secret'],
    ],
    ...['/?q=1', '/#f', '?', '#', '/a?q#f'].map((rest): [string, unknown, string[]] => [
      `with an issuer that ends in ${rest}`,
      { ...OIDC, issuer: `https://idp.example.com${rest}` },
      ['issuer'],
    ]),
    ['with a switch for signing that is a number', samlMembers({ sign_requests: 1 }), ['sign_requests']],
  ];
  it.each(faulty)('%s', async (_, body, paths) => {
    await expectFaults(body, paths);
  });

  it.each(['UPPER', 'a b', 'ä', 'a_b', 'a.b', 'x'.repeat(41), 'a/b'])('by the name %j', async (name) => {
    await expectFaults(OIDC, ['name'], { name: encodeURIComponent(name) });
  });

  it.each(['a', 'x'.repeat(40), 'acme-2'])('not by the name %j', async (name) => {
    const service = createService();
    expect((await putConnection(service, await newTenant(service), name, OIDC)).status).toBe(201);
  });
});

describe('the domains of a connection are refused', () => {
  const faulty: [string, unknown, string[]][] = [
    ['when there are none', [], ['domains']],
    ['when they are more than a hundred', Array.from({ length: 101 }, (_, i) => `d${i}.example`), ['domains']],
    ['when they are a text', 'acme.example', ['domains']],
    ['when one is no text', ['acme.example', 1], ['domains.1']],
    ['when one is no name of a domain', ['good.example', 'ada@acme.example'], ['domains.1']],
  ];
  it.each(faulty)('%s', async (_, domains, paths) => {
    await expectFaults({ ...OIDC, domains }, paths);
    await expectFaults(samlMembers({ domains }), paths);
  });
});

const PRIVATE = [
  'https://10.0.0.1',
  'https://192.168.1.1',
  'https://169.254.169.254/latest',
  'https://[fd00::1]',
  'https://[::ffff:10.0.0.1]',
  'https://167772161',
  'https://0x0a.1',
  'https://idp',
  'https://idp.internal',
  'https://idp.local',
  'http://idp.example.com',
  'https://user:pass@idp.example.com',
  'ftp://idp.example.com',
  'file:///etc/passwd',
  'javascript:alert(1)',
];

const LOOPBACK = [
  'http://127.0.0.1',
  'https://127.0.0.1',
  'https://localhost',
  'https://localhost.',
  'https://[::1]',
  'https://2130706433',
  'https://0x7f.1',
  'https://tenant.localhost',
];

/** A service as it is deployed: not on a developer's machine. */
const newDeployed = () => createService({ BASE_DOMAIN: 'accounts.example.com' });

describe('a URL that the Worker or a browser is sent to must be public', () => {
  it.each(PRIVATE)('%s is refused everywhere', async (url) => {
    for (const service of [createService(), newDeployed()]) {
      await expectFaults({ ...OIDC, issuer: url }, ['issuer'], { service });
      await expectFaults(samlMembers({ sso_url: url }), ['sso_url'], { service: createService() });
      await expectFaults(samlMembers({ slo_url: url }), ['slo_url'], { service: createService() });
    }
  });

  it.each(LOOPBACK)('%s is refused but on a developer’s machine', async (url) => {
    await expectFaults({ ...OIDC, issuer: url }, ['issuer'], { service: newDeployed() });
    const members = samlMembers({ sso_url: 'https://idp.example.com/sso', slo_url: null });
    await expectFaults({ ...members, sso_url: url }, ['sso_url'], { service: newDeployed() });
    await expectFaults({ ...members, slo_url: url }, ['slo_url'], { service: newDeployed() });
    const service = createService();
    expect((await putConnection(service, await newTenant(service), 'acme', { ...OIDC, issuer: url })).status).toBe(201);
  });

  it('one in metadata, too', async () => {
    const metadata_xml = await (await fetch(`${idp.url}/metadata`)).text();
    const body = { type: 'saml', domains: ['acme.example'], signup: false };
    await expectFaults({ ...body, metadata_xml }, ['sso_url'], { service: newDeployed() });
    const scripted = alter(metadata_xml, `${idp.url}/slo`, 'javascript:alert(1)');
    await expectFaults({ ...body, metadata_xml: scripted }, ['metadata_xml']);
  });
});

describe('what a SAML provider is known by', () => {
  const MEMBERS = ['entity_id', 'sso_url', 'certificates'];
  const bare = { type: 'saml', domains: ['acme.example'], signup: false };
  const metadata = async () => (await fetch(`${idp.url}/metadata`)).text();

  it('is its metadata or its members: without either all members are missing', async () => {
    await expectFaults(bare, MEMBERS);
  });

  it.each(MEMBERS)('is all of its members: %s is missed', async (name) => {
    await expectFaults(without(samlMembers(), name), [name]);
  });

  it('is not said twice: with metadata no member is taken', async () => {
    await expectFaults({ ...samlMembers(), metadata_xml: await metadata() }, [...MEMBERS, 'slo_url']);
    await expectFaults({ ...bare, entity_id: 'urn:x', metadata_xml: await metadata() }, ['entity_id']);
    await expectFaults({ ...bare, slo_url: `${idp.url}/slo`, metadata_xml: await metadata() }, ['slo_url']);
  });

  const certificates: [string, string][] = [
    ['that is none', 'Hello'],
    ['that is empty', ''],
    ['of a weak key', idp.keys.weak.certificate],
    ['that is a private key', idp.keys.idp.key],
    ['that is cut short', idp.keys.idp.certificate.slice(0, 300)],
  ];
  it.each(certificates)('is no certificate %s', async (_, certificate) => {
    await expectFaults(samlMembers({ certificates: [idp.keys.idp.certificate, certificate] }), ['certificates.1']);
  });

  it('is one to ten certificates', async () => {
    await expectFaults(samlMembers({ certificates: [] }), ['certificates']);
    await expectFaults(samlMembers({ certificates: Array(11).fill(idp.keys.idp.certificate) }), ['certificates']);
    await expectFaults(samlMembers({ certificates: idp.keys.idp.certificate }), ['certificates']);
  });

  const texts: [string, (xml: string) => string][] = [
    ['that is empty', () => ''],
    ['that is no XML', () => 'Hello'],
    ['with a document type', (xml) => `<!DOCTYPE x [<!ENTITY e "e">]>${xml}`],
    ['without a key', (xml) => alter(xml, /<KeyDescriptor.*<\/KeyDescriptor>/s, '')],
    [
      'with a weak key',
      (xml) => alter(xml, /(?<=<X509Certificate>)[^<]+/, idp.keys.weak.certificate.replace(/-----.*?-----|\s/g, '')),
    ],
    ['without a place to sign in', (xml) => alter(xml, /<SingleSignOnService.*?\/>/gs, '')],
    ['of a service provider', (xml) => xml.replaceAll('IDPSSODescriptor', 'SPSSODescriptor')],
  ];
  it.each(texts)('is no metadata %s', async (_, change) => {
    await expectFaults({ ...bare, metadata_xml: change(await metadata()) }, ['metadata_xml']);
  });
});
