import type { TenantId } from '../crypto/ids.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { SamlLoader } from '../outside/identity-providers/saml.ts';
import type { Connection, ConnectionStore } from '../storage/connections.ts';
import type { ConnectionSettings } from '../storage/schema.ts';
import type { Audit } from './audit.ts';
import { refuseUncallable } from './callable-urls.ts';
import type { EmailAddress } from './email.ts';
import { invalidAt, Refusal } from './refusal.ts';

export type { Connection } from '../storage/connections.ts';

const FRESH_MS = 60_000;

/** What an isolate remembers of the tenants' connections: at most 60 s old. */
export type ConnectionMemory = Map<TenantId, { connections: readonly Connection[]; until: number }>;

/** What the operator says of a connection. Secrets are plain here. */
export type ConnectionProfile = {
  domains: string[];
  allowsSignup: boolean;
  provider:
    | { type: 'oidc'; issuer: string; clientId: string; clientSecret: string }
    | { type: 'saml'; signsRequests: boolean; source: { metadataXml: string } | SamlProvider };
};

type SamlProvider = { entityId: string; ssoUrl: string; sloUrl: string | null; certificates: string[] };

type Dependencies = {
  tenantId: TenantId;
  /** Our host, as an identity provider's administrator knows it. */
  host: string;
  store: ConnectionStore;
  memory: ConnectionMemory;
  /** Whether the Worker, or a browser, may be sent to a URL. */
  isCallable: (url: string) => boolean;
  loadSaml: SamlLoader;
  sealer: () => Promise<Sealer>;
  audit: Audit;
  now: () => number;
};

/** The identity providers of companies: whoever has an address of their domains signs in there (contract 2, start login). */
export const createConnections = ({
  tenantId,
  host,
  store,
  memory,
  isCallable,
  loadSaml,
  sealer,
  audit,
  now,
}: Dependencies) => {
  const list = async (): Promise<readonly Connection[]> => {
    const remembered = memory.get(tenantId);
    if (remembered && remembered.until > now()) return remembered.connections;
    const connections = await store.list();
    memory.set(tenantId, { connections, until: now() + FRESH_MS });
    return connections;
  };

  const requireCallable = (path: string, url: string | null): void => {
    if (url !== null) refuseUncallable(isCallable, path, url);
  };

  const readSamlProvider = async (source: { metadataXml: string } | SamlProvider): Promise<SamlProvider> => {
    const { readIdpMetadata, readCertificate } = await loadSaml();
    if ('metadataXml' in source) {
      const read = readIdpMetadata(source.metadataXml, now());
      if (read.kind === 'refused')
        throw invalidAt('metadata_xml', `is not the metadata of one provider: ${read.reason}`);
      return { ...read, certificates: read.certificates.map(({ pem }) => pem) };
    }
    const certificates = source.certificates.map((text, i) => {
      const certificate = readCertificate(text);
      if (!certificate)
        throw invalidAt(`certificates.${i}`, 'must be X.509 with an RSA key of 2048 bits or P-256 at least');
      return certificate.pem;
    });
    return { ...source, certificates };
  };

  const settingsOf = async (
    name: string,
    { provider }: ConnectionProfile,
    before: Connection | undefined,
  ): Promise<ConnectionSettings> => {
    if (provider.type === 'oidc') {
      const { clientSecret, ...settings } = provider;
      requireCallable('issuer', settings.issuer);
      return { ...settings, sealedClientSecret: await (await sealer()).seal(clientSecret, secretOf(name)) };
    }
    const { entityId, ssoUrl, sloUrl, certificates } = await readSamlProvider(provider.source);
    requireCallable('sso_url', ssoUrl);
    requireCallable('slo_url', sloUrl);
    const kept = before?.settings.type === 'saml' ? before.settings.signing : null;
    const signing = provider.signsRequests ? (kept ?? (await newSigning(name))) : null;
    return { type: 'saml', entityId, ssoUrl, sloUrl, certificates, signing };
  };

  const newSigning = async (name: string) => {
    const { createSigningPair } = await loadSaml();
    const { privateKey, certificate } = await createSigningPair(host.slice(0, 64), now());
    return { sealedPrivateKey: await (await sealer()).seal(privateKey.toBase64(), secretOf(name)), certificate };
  };

  return {
    /** The connection of the address's domain, if there is one. */
    findByEmail: async (email: EmailAddress): Promise<Connection | null> =>
      (await list()).find((connection) => speaksFor(connection, email.key)) ?? null,

    findByName: async (name: string): Promise<Connection | null> =>
      (await list()).find((connection) => connection.name === name) ?? null,

    /** What a sealed secret of the connection is. */
    openSecret: async (name: string, sealed: string): Promise<string> => (await sealer()).open(sealed, secretOf(name)),

    /** By name, as they are now. */
    list: store.list,

    /** Refuses with `connection_not_found`. */
    get: async (name: string): Promise<Connection> => {
      const connection = (await store.list()).find((each) => each.name === name);
      if (!connection) throw new Refusal('connection_not_found');
      return connection;
    },

    /** Makes the connection or replaces it. Refuses with `validation_failed` and `domain_taken`. */
    put: async (name: string, profile: ConnectionProfile): Promise<{ connection: Connection; isNew: boolean }> => {
      const before = (await store.list()).find((each) => each.name === name);
      const settings = await settingsOf(name, profile, before);
      const event = audit('connection.updated', 'operator', tenantId, { name });
      const { allowsSignup, domains } = profile;
      const outcome = await store.put({ name, allowsSignup, settings, domains: domains.toSorted() }, event);
      if (outcome.kind === 'domain_taken') throw new Refusal('domain_taken');
      memory.delete(tenantId);
      return outcome;
    },

    /** Refuses with `connection_not_found`. */
    remove: async (name: string): Promise<void> => {
      const isRemoved = await store.remove(name, audit('connection.deleted', 'operator', tenantId, { name }));
      if (!isRemoved) throw new Refusal('connection_not_found');
      memory.delete(tenantId);
    },
  };
};

export type Connections = ReturnType<typeof createConnections>;

/** Whether the connection may say who has this address: only if it is of one of its own domains. */
export const speaksFor = ({ domains }: Connection, emailKey: string): boolean =>
  domains.includes(emailKey.slice(emailKey.lastIndexOf('@') + 1));

const secretOf = (name: string): string => `connection ${name}`;
