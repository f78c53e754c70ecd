import { expect } from 'vitest';
import type { AnswerOptions } from '../peers/saml.ts';
import { putConnection, startAtProvider } from './connections.ts';
import { type Browser, newBrowser, newLoginWorld } from './logins.ts';
import { answerOf, encode, idp, pick } from './saml.ts';
import { createService, type Service } from './service.ts';
import { newCustomer } from './tenants.ts';

/** The provider's only person, and the domain that its address is of. */
const ADA = 'ada@example.com';

/** What the operator says of the provider, without its metadata. */
export const samlMembers = (changes: Record<string, unknown> = {}) => ({
  type: 'saml',
  ...{ domains: ['example.com'], entity_id: idp.entityId, sso_url: `${idp.url}/sso`, slo_url: `${idp.url}/slo` },
  ...{ certificates: [idp.keys.idp.certificate], signup: true, ...changes },
});

/** A tenant where a company signs in at the SAML provider, with a browser of Ada’s. */
export const newSamlCompany = async (
  profile: Record<string, unknown> = {},
  tenantProfile: Record<string, unknown> = {},
  service: Service = createService(),
) => {
  const world = await newLoginWorld(service, tenantProfile);
  const { tenant, app, browser } = world;
  expect((await putConnection(service, tenant, 'company', samlMembers(profile))).status).toBe(201);
  const customer = await newCustomer(service, app, { email: ADA });
  const acsUrl = `${tenant.host}/v1/auth/saml/acs`;
  const spEntityId = `${tenant.host}:8787/v1/auth/saml/metadata`;

  /** Begins a sign-in, and gives the ID of its request beside what the browser knows. */
  const begin = async (from: Browser = browser) => {
    const { url, state } = await startAtProvider(from, ADA);
    return { url, state, requestId: pick(await messageIn(url, 'SAMLRequest'), /(?<= ID=")[^"]+/) };
  };

  /** The answer that the provider makes to a request, as XML. */
  const answerTo = (requestId: string, options: AnswerOptions = {}): Promise<string> =>
    answerOf({
      ...{ audience: spEntityId, recipient: acsUrl, destination: acsUrl, inResponseTo: requestId },
      ...options,
    });

  /** Posts a form as a page of the provider has a browser do: cookies that are `Lax` do not come along. */
  const postForm = (fields: Record<string, string>, url = acsUrl): Promise<Response> =>
    service.call('POST', url, {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: idp.url, 'Sec-Fetch-Site': 'cross-site' },
      rawBody: new URLSearchParams(fields).toString(),
    });

  return {
    ...{ ...world, service, customer, acsUrl, spEntityId, begin, answerTo, postForm },
    post: (xml: string, state: string) => postForm({ SAMLResponse: encode(xml), RelayState: state }),
    newBrowser: () => newBrowser(service, tenant.host),
  };
};

export type SamlCompany = Awaited<ReturnType<typeof newSamlCompany>>;

/** A message that a URL carries, as XML. */
export const messageIn = async (url: string, parameter: 'SAMLRequest' | 'SAMLResponse'): Promise<string> => {
  const bytes = Uint8Array.fromBase64(new URL(url).searchParams.get(parameter) ?? '');
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text();
};

/** The fields of the form that the provider shows for a browser to post, and where to. */
export const formIn = (page: string): { action: string; fields: Record<string, string> } => {
  const fieldOf = (name: string) => pick(page, new RegExp(`(?<=name="${name}"\\s+value=")[^"]+`));
  return {
    action: pick(page, /(?<=action=")[^"]+/),
    fields: { SAMLResponse: fieldOf('SAMLResponse'), RelayState: fieldOf('RelayState') },
  };
};
