import { signClientSecret } from './crypto/client-secrets.ts';
import { verifyForeignToken } from './crypto/foreign-tokens.ts';
import { deriveMasterKeys, type MasterKeys } from './crypto/master-key.ts';
import { randomToken } from './crypto/random.ts';
import type { Sealer } from './crypto/sealing.ts';
import { createAudit } from './domain/audit.ts';
import type { ConnectionMemory } from './domain/connections.ts';
import { createOverdueDeliveries, type OverdueDeliveries } from './domain/deliveries.ts';
import type { KeyMemory } from './domain/keyring.ts';
import type { ProviderMemory } from './domain/providers.ts';
import { createTenantDirectory, type TenantDirectory } from './domain/tenant-directory.ts';
import { createTenants, type Tenants } from './domain/tenants.ts';
import { createUpkeep, type Upkeep } from './domain/upkeep.ts';
import type { WebhookMemory } from './domain/webhooks.ts';
import { readSettings, type Settings } from './env.ts';
import { isCallableUrl } from './outside/http.ts';
import { createOidcRelyingParty } from './outside/identity-providers/oidc.ts';
import { createProviderCheck } from './outside/identity-providers/provider-checks.ts';
import { createMailer } from './outside/mail/mailer.ts';
import { createMailTransport } from './outside/mail/transports.ts';
import { createTexter } from './outside/texts/texter.ts';
import { createTextTransport } from './outside/texts/transport.ts';
import { createReceiverCalls } from './outside/webhooks/receivers.ts';
import { createTenantServices, type RequestContext, type TenantServices } from './services.ts';
import { type Database, guarded, openDatabase, StorageError } from './storage/database.ts';
import { createOverdueDeliveryStore } from './storage/deliveries.ts';
import { createDeliveryQueue, readNote } from './storage/queue.ts';
import { createSigningKeyStore } from './storage/signing-keys.ts';
import { createTenantDataStore, createTenantStore, type Tenant } from './storage/tenants.ts';
import { createUpkeepSchedule, createUpkeepStore } from './storage/upkeep.ts';

/** What the service takes from the world, so that tests can hold it: the time in milliseconds, and outbound HTTP. */
export type Seams = { now: () => number; fetch: typeof globalThis.fetch };

/** What serves every request of an isolate, whoever's it is. */
export type Platform = {
  settings: Settings;
  now: () => number;
  directory: TenantDirectory;
  /** The operator's verbs. */
  tenants: (request: RequestContext) => Tenants;
  /** The services of one tenant, for one request: nothing of them reaches another's data. */
  servicesOf: (tenant: Tenant, request: RequestContext) => TenantServices;
  /** Makes the attempt that a message of the queue asks for. Gives when it is to come again; null for never. */
  deliver: (message: unknown, request: RequestContext) => Promise<number | null>;
  /** What the queue should have delivered by now, of all tenants. */
  overdueDeliveries: OverdueDeliveries;
  /** Whether D1 and KV answer. */
  probeStorage: () => Promise<void>;
  /** Whether a caller, known by this text, is still within the approximate limit per key. */
  isWithinKeyLimit: (caller: string) => Promise<boolean>;
  /** What is done for the tenants without anybody's request. */
  upkeep: Upkeep;
};

/** Throws a SettingsError when the settings are not in order. */
export type PlatformOf = (env: Env) => Promise<Platform>;

/** Gives an isolate's platform, which is built at the first call. */
export const createPlatformOf = (seams: Seams): PlatformOf => {
  // Built platforms, never promises of them: one request's I/O must not be awaited by another.
  const built = new WeakMap<Env, Platform>();
  return async (env) => {
    const platform = built.get(env) ?? (await createPlatform(env, seams));
    built.set(env, platform);
    return platform;
  };
};

const createPlatform = async (env: Env, { now, fetch }: Seams): Promise<Platform> => {
  const settings = readSettings(env);
  const masterKeys = await deriveMasterKeys(settings.masterKey);
  const database = openDatabase(env.DB);
  const tenantStore = guarded(createTenantStore(database));
  const directory = createTenantDirectory({ store: tenantStore, ...settings, now });
  const transport = createMailTransport(settings.mail, env.EMAIL, fetch);
  const textTransport = settings.sms && createTextTransport(settings.sms, fetch);
  const sealers = new Map<string, Sealer>();
  const keyMemory: KeyMemory = new Map();
  const connectionMemory: ConnectionMemory = new Map();
  const providerMemory: ProviderMemory = new Map();
  const allowsLoopback = settings.baseDomain === 'localhost';
  const relyingParty = createOidcRelyingParty({ fetch, allowsLoopback, now, randomToken });
  const checkProvider = createProviderCheck({
    ...{ fetch, allowsLoopback, now, randomToken },
    verifyToken: verifyForeignToken,
    signClientSecret,
  });

  const webhookMemory: WebhookMemory = new Map();
  const deliveryQueue = createDeliveryQueue(env.DELIVERIES);
  const overdueDeliveries = createOverdueDeliveries({
    shards: tenantStore.shards,
    storeOf: (shard) => guarded(createOverdueDeliveryStore(databaseOf(env, { shard }))),
    queue: deliveryQueue,
    now,
  });
  const callReceiver = createReceiverCalls({ fetch, allowsLoopback });
  const isCallable = (url: string) => isCallableUrl(url, allowsLoopback);
  const isOurs = (host: string) => `.${host}`.endsWith(`.${settings.baseDomain}`);

  const servicesOf: Platform['servicesOf'] = (tenant, request) =>
    createTenantServices({
      tenant,
      database: databaseOf(env, tenant),
      kv: env.KV,
      masterKeys,
      sealer: () => openSealer(sealers, masterKeys, tenant),
      mailer: createMailer({ transport, from: senderOf(settings), tenant }),
      texter: textTransport && createTexter({ transport: textTransport, tenant }),
      issuer: hostedSiteOf(settings, tenant),
      signingKeys: guarded(createSigningKeyStore(database, tenant.id)),
      keyMemory,
      connectionMemory,
      isCallable,
      isOurs: (url) => !allowsLoopback && isOurs(new URL(url).hostname.replace(/\.$/, '')),
      relyingParty,
      providerMemory,
      checkProvider,
      webhookMemory,
      deliveryQueue,
      callReceiver,
      requireKept: () => tenantsFor(request).requireKept(tenant),
      request,
      now,
    });

  const dataOf = (tenant: Pick<Tenant, 'id' | 'shard'>) =>
    guarded(createTenantDataStore(databaseOf(env, tenant), tenant.id));

  const tenantsFor: Platform['tenants'] = (request) =>
    createTenants({
      store: tenantStore,
      dataOf,
      directory,
      masterKeys,
      isOurs,
      audit: createAudit({ origin: request.origin, now }),
      note: (tenant, event) => servicesOf(tenant, request).deliveries.note(event),
      now,
    });

  return {
    settings,
    now,
    directory,
    tenants: tenantsFor,
    servicesOf,
    deliver: async (message, request) => {
      const note = readNote(message);
      const tenant = note && (await directory.findAnyById(note.tenantId));
      return tenant ? servicesOf(tenant, request).deliveries.deliver(note) : null;
    },
    overdueDeliveries,
    probeStorage: async () => {
      await Promise.all([database.run('select 1'), env.KV.get('probe')]).catch((error: unknown) => {
        throw new StorageError(error);
      });
    },
    isWithinKeyLimit: async (caller) =>
      (await env.KEY_RATE_LIMIT.limit({ key: await masterKeys.keyedHash('key limit', caller) })).success,
    upkeep: createUpkeep({
      schedule: guarded(createUpkeepSchedule(database)),
      tenants: tenantStore,
      dataOf,
      storeOf: (tenant) => guarded(createUpkeepStore(databaseOf(env, tenant), tenant.id)),
      now,
    }),
  };
};

/** The database that the tenant's row names: a binding of the Worker. */
const databaseOf = (env: Env, { shard }: Pick<Tenant, 'shard'>): Database => {
  const binding = Object.entries(env).find(([name]) => name === shard)?.[1];
  if (typeof binding !== 'object' || !('batch' in binding)) throw new Error(`No database is bound as ${shard}`);
  return openDatabase(binding);
};

const openSealer = async (sealers: Map<string, Sealer>, masterKeys: MasterKeys, tenant: Tenant): Promise<Sealer> => {
  const known = sealers.get(tenant.sealedDataKey);
  if (known) return known;
  const sealer = await masterKeys.openDataKey(tenant.sealedDataKey, tenant.id);
  sealers.set(tenant.sealedDataKey, sealer);
  return sealer;
};

const senderOf = ({ mail, baseDomain }: Settings): string => mail.from ?? `accounts@${baseDomain}`;

const hostedSiteOf = ({ baseDomain, localPort }: Settings, { slug }: Tenant): string =>
  baseDomain === 'localhost' ? `http://${slug}.localhost:${localPort}` : `https://${slug}.${baseDomain}`;
