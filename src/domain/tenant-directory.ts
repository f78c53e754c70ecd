import { isId, type TenantId } from '../crypto/ids.ts';
import type { Tenant, TenantStore } from '../storage/tenants.ts';
import { Refusal } from './refusal.ts';

const FRESH_MS = 60_000;
const MOST_ENTRIES = 2000;

type Dependencies = {
  store: Pick<TenantStore, 'findById' | 'findBySlug' | 'findByDomain'>;
  baseDomain: string;
  defaultTenant: string | null;
  now: () => number;
};

/**
 * Finds the tenant of a request, from memory where it can: what it gives is at most 60 s old. Only what was found is
 * remembered, never a promise of it, and never that there was nothing.
 */
export const createTenantDirectory = ({ store, baseDomain, defaultTenant, now }: Dependencies) => {
  const remembered = new Map<string, { tenant: Tenant; until: number }>();

  const find = async (name: string, load: () => Promise<Tenant | null>): Promise<Tenant | null> => {
    const known = remembered.get(name);
    if (known && known.until > now()) return known.tenant;
    const tenant = await load();
    remembered.delete(name);
    if (!tenant) return null;
    const [oldest] = remembered.keys();
    if (remembered.size >= MOST_ENTRIES && oldest !== undefined) remembered.delete(oldest);
    remembered.set(name, { tenant, until: now() + FRESH_MS });
    return tenant;
  };

  const findBySlug = (slug: string) => find(`slug ${slug}`, () => store.findBySlug(slug));

  return {
    /** By id, for keys that name their tenant. */
    findById: async (id: TenantId): Promise<Tenant | null> => {
      const tenant = await find(id, () => store.findById(id));
      return tenant && requireActive(tenant);
    },

    /** By id, disabled ones too, for work that no request asks for. */
    findAnyById: (id: TenantId): Promise<Tenant | null> => find(id, () => store.findById(id)),

    /** By slug or id, for paths that name their tenant. */
    findByName: async (name: string): Promise<Tenant | null> => {
      const tenant = isId('ten', name) ? await find(name, () => store.findById(name)) : await findBySlug(name);
      return tenant && requireActive(tenant);
    },

    /**
     * The tenant that a host name stands for, the default tenant for a host that names none, or null without either
     * (contract 0, which tenant). Refuses with `tenant_not_found` for a sub-domain of ours that names no tenant, and for a
     * disabled one.
     */
    findByHost: async (host: string): Promise<{ tenant: Tenant; isNamed: boolean } | null> => {
      if (host.endsWith(`.${baseDomain}`)) {
        const tenant = await findBySlug(host.slice(0, -baseDomain.length - 1));
        if (!tenant) throw new Refusal('tenant_not_found');
        return { tenant: requireActive(tenant), isNamed: true };
      }
      const own = host === baseDomain ? null : await find(`host ${host}`, () => store.findByDomain(host));
      if (own) return { tenant: requireActive(own), isNamed: true };
      const fallback = defaultTenant === null ? null : await findBySlug(defaultTenant);
      return fallback?.status === 'active' ? { tenant: fallback, isNamed: false } : null;
    },

    /** Forgets what is remembered of a tenant in this isolate: it was changed here. */
    forget: (id: TenantId): void => {
      for (const [name, { tenant }] of remembered) if (tenant.id === id) remembered.delete(name);
    },
  };
};

export type TenantDirectory = ReturnType<typeof createTenantDirectory>;

/** A disabled tenant is there for nobody but the operator. */
const requireActive = (tenant: Tenant): Tenant => {
  if (tenant.status !== 'active') throw new Refusal('tenant_not_found');
  return tenant;
};
