import { newId, type TenantId } from '../crypto/ids.ts';
import type { MasterKeys } from '../crypto/master-key.ts';
import type { NewEvent } from '../storage/events.ts';
import type { Tenant, TenantDataStore, TenantStore } from '../storage/tenants.ts';
import type { Audit } from './audit.ts';
import { newSigningKeyRow } from './keyring.ts';
import { type Fault, Refusal, refuseFaults } from './refusal.ts';
import type { TenantDirectory } from './tenant-directory.ts';

export type { Tenant } from '../storage/tenants.ts';

/** What the operator says of a tenant. */
export type TenantProfile = Pick<
  Tenant,
  | 'name'
  | 'status'
  | 'locale'
  | 'siteUrl'
  | 'origins'
  | 'redirectUris'
  | 'logoutUri'
  | 'branding'
  | 'settings'
  | 'domains'
>;

type Dependencies = {
  store: TenantStore;
  dataOf: (tenant: Tenant) => TenantDataStore;
  directory: TenantDirectory;
  masterKeys: MasterKeys;
  /** Whether a host is the service's own or below it: it stands for the tenant of that slug, if for any. */
  isOurs: (host: string) => boolean;
  audit: Audit;
  /** Sees to it that the tenant's webhooks are told of an event. */
  note: (tenant: Tenant, event: NewEvent) => void;
  now: () => number;
};

/** The binding of the database where new tenants' data go. */
const DEFAULT_SHARD = 'DB';

const OURS = 'must be no host of this service';

/** The tenants of the service. All verbs are the operator's. */
export const createTenants = (dependencies: Dependencies) => {
  const { store, dataOf, directory, masterKeys, isOurs, audit, note, now } = dependencies;

  /** Refuses with `tenant_not_found`. Disabled tenants are found too. */
  const get = async (slug: string): Promise<Tenant> => {
    const tenant = await store.findBySlug(slug);
    if (!tenant) throw new Refusal('tenant_not_found');
    return tenant;
  };

  const create = async (slug: string, profile: TenantProfile): Promise<Tenant | 'slug_taken'> => {
    const at = now();
    const id = newId('ten', at);
    const { signingAlgorithm } = profile.settings;
    const sealedDataKey = await masterKeys.newSealedDataKey(id);
    const sealer = await masterKeys.openDataKey(sealedDataKey, id);
    const tenant = { id, slug, ...profile, shard: DEFAULT_SHARD, sealedDataKey, createdAt: at, updatedAt: at };
    const outcome = await store.create(
      tenant,
      await newSigningKeyRow(sealer, signingAlgorithm, at),
      audit('tenant.created', 'operator', id),
    );
    if (outcome === 'domain_taken') throw new Refusal('domain_taken');
    return outcome === 'created' ? tenant : outcome;
  };

  /** Null for a tenant that is removed meanwhile. */
  const replace = async (tenant: Tenant, { domains, ...profile }: TenantProfile): Promise<Tenant | null> => {
    const event = audit('tenant.updated', 'operator', tenant.id);
    note(tenant, event);
    const changes = { ...profile, updatedAt: event.at };
    const outcome = await store.replace(tenant.id, changes, domains, event);
    if (outcome === 'domain_taken') throw new Refusal('domain_taken');
    if (outcome === 'gone') return null;
    directory.forget(tenant.id);
    return { ...tenant, ...changes, domains };
  };

  const findOurs = (domains: readonly string[]): Fault[] =>
    domains.flatMap((domain, i) => (isOurs(domain) ? [{ path: `domains.${i}`, code: 'invalid', message: OURS }] : []));

  return {
    get,

    list: (limit: number, before: TenantId | null): Promise<Tenant[]> => store.list(limit, before),

    /**
     * Makes the tenant, with its data key and signing key, or replaces what is said of it. Refuses with
     * `validation_failed`, `domain_taken`.
     */
    put: async (slug: string, said: TenantProfile): Promise<{ tenant: Tenant; isNew: boolean }> => {
      refuseFaults(findOurs(said.domains));
      const profile = { ...said, domains: [...new Set(said.domains)] };
      const existing = await store.findBySlug(slug);
      const replaced = existing && (await replace(existing, profile));
      if (replaced) return { tenant: replaced, isNew: false };
      const created = await create(slug, profile);
      if (created !== 'slug_taken') return { tenant: created, isNew: true };
      // Somebody else made it since it was looked for.
      const tenant = await replace(await get(slug), profile);
      if (!tenant) throw new Refusal('tenant_not_found');
      return { tenant, isNew: false };
    },

    /** Removes the tenant and all that it holds. Refuses with `tenant_not_found`, `confirmation_required`. */
    remove: async (slug: string, confirmation: string | undefined): Promise<void> => {
      const tenant = await get(slug);
      if (confirmation !== slug) throw new Refusal('confirmation_required');
      const deletion = audit('tenant.deleted', 'operator', tenant.id, { slug, shard: tenant.shard });
      // The data first: when this stops half way, the tenant is still there to be removed again.
      await dataOf(tenant).removeAll();
      const isRemoved = await store.remove(tenant.id, deletion);
      directory.forget(tenant.id);
      if (!isRemoved) throw new Refusal('tenant_not_found');
    },

    /**
     * Refuses with `tenant_not_found` where the tenant was removed since it was found, and removes what was written of it
     * after that: the tenants' rows may be in another database than its data, so that no statement can ask for both.
     */
    requireKept: async (tenant: Tenant): Promise<void> => {
      if (await store.findById(tenant.id)) return;
      await dataOf(tenant).removeAll();
      throw new Refusal('tenant_not_found');
    },
  };
};

export type Tenants = ReturnType<typeof createTenants>;
