import { isClientKey } from '../crypto/client-secrets.ts';
import { isVerificationKey } from '../crypto/foreign-tokens.ts';
import type { TenantId } from '../crypto/ids.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { IdentityProvider } from '../outside/identity-providers/provider-checks.ts';
import type { Provider, ProviderStore } from '../storage/providers.ts';
import type { ProviderSettings } from '../storage/schema.ts';
import type { Audit } from './audit.ts';
import { refuseUncallable } from './callable-urls.ts';
import { createProviderSecrets } from './provider-secrets.ts';
import { invalidAt, Refusal } from './refusal.ts';

export type { Provider } from '../storage/providers.ts';

const FRESH_MS = 60_000;

/** What an isolate remembers of the tenants' providers: at most 60 s old. */
export type ProviderMemory = Map<TenantId, { providers: readonly Provider[]; until: number }>;

/** Sign-ins of our own, which every tenant has until the operator says otherwise. */
type OwnProvider = { type: 'otp'; isEnabled: boolean } | { type: 'password'; isEnabled: boolean };

/** What the operator says of a provider. Secrets are plain here. */
export type ProviderProfile = { allowsSignup: boolean; provider: IdentityProvider | OwnProvider };

/** A provider, ready to be asked, with its settings as they are stored. */
export type OpenProvider = { name: string; settings: ProviderSettings } & ProviderProfile;

const OWN = ['otp', 'password'] as const;

/** Names that mean one kind of provider each (contract 4, authenticate). */
const FIXED: readonly string[] = ['google', 'apple', 'line', 'microsoft', 'facebook', ...OWN];

type Dependencies = {
  tenantId: TenantId;
  store: ProviderStore;
  memory: ProviderMemory;
  /** Whether the Worker may be told to call a URL. */
  isCallable: (url: string) => boolean;
  sealer: () => Promise<Sealer>;
  audit: Audit;
  now: () => number;
};

/** Whom people sign in with at the forms and apps of a tenant (contract 4, authenticate). */
export const createProviders = ({ tenantId, store, memory, isCallable, sealer, audit, now }: Dependencies) => {
  const secrets = createProviderSecrets(sealer);

  const list = async (): Promise<readonly Provider[]> => {
    const remembered = memory.get(tenantId);
    if (remembered && remembered.until > now()) return remembered.providers;
    const providers = await store.list();
    memory.set(tenantId, { providers, until: now() + FRESH_MS });
    return providers;
  };

  const requireCallable = (provider: ProviderProfile['provider']): void => {
    for (const [path, url] of urlsOf(provider)) refuseUncallable(isCallable, path, url);
  };

  return {
    /** The provider of this name. Refuses with `unknown_provider`, as for one that is switched off. */
    use: async (name: string): Promise<OpenProvider> => {
      const found = (await list()).find((each) => each.name === name);
      if (found?.settings.type === 'otp' || found?.settings.type === 'password') {
        if (!found.settings.isEnabled) throw new Refusal('unknown_provider');
      }
      if (found) {
        const { allowsSignup, settings } = found;
        return { name, settings, allowsSignup, provider: await secrets.open(name, settings) };
      }
      const type = OWN.find((each) => each === name);
      if (!type) throw new Refusal('unknown_provider');
      const own: OwnProvider = { type, isEnabled: true };
      return { name, settings: own, allowsSignup: false, provider: own };
    },

    /** Uses a provider's nonce up; false if it was used before. `hash` stands for it. */
    useNonce: store.useNonce,

    /** By name, as they are now. */
    list: store.list,

    /** Refuses with `provider_not_found`. */
    get: async (name: string): Promise<Provider> => {
      const provider = (await store.list()).find((each) => each.name === name);
      if (!provider) throw new Refusal('provider_not_found');
      return provider;
    },

    /** Makes the provider or replaces it. Refuses with `validation_failed`. */
    put: async (name: string, profile: ProviderProfile): Promise<{ provider: Provider; isNew: boolean }> => {
      const { allowsSignup, provider } = profile;
      if (FIXED.includes(name) && provider.type !== name) throw invalidAt('type', `must be ${name}, as the name is`);
      requireCallable(provider);
      await requireKeys(provider);
      const settings = await secrets.seal(name, provider);
      const event = audit('provider.updated', 'operator', tenantId, { name });
      const outcome = await store.put({ name, allowsSignup, settings }, event);
      memory.delete(tenantId);
      return outcome;
    },

    /** Refuses with `provider_not_found`. */
    remove: async (name: string): Promise<void> => {
      const isRemoved = await store.remove(name, audit('provider.deleted', 'operator', tenantId, { name }));
      if (!isRemoved) throw new Refusal('provider_not_found');
      memory.delete(tenantId);
    },
  };
};

export type Providers = ReturnType<typeof createProviders>;

/** Refuses keys that no sign-in could ever be checked with. */
const requireKeys = async (provider: ProviderProfile['provider']): Promise<void> => {
  if (provider.type === 'jwt' && 'publicKey' in provider.keys && !(await isVerificationKey(provider.keys.publicKey)))
    throw invalidAt('keys.public_key', 'must be a key that signatures can be verified with');
  if (provider.type === 'apple' && provider.signingKey !== null && !(await isClientKey(provider.signingKey)))
    throw invalidAt('signing_key.private_key', 'must be a P-256 key as PKCS #8 in PEM');
};

/** The URLs of a provider that the Worker is told to call, by the operator's names of them. */
const urlsOf = (provider: ProviderProfile['provider']): [string, string][] => {
  if ('issuer' in provider && provider.type !== 'jwt' && provider.issuer !== null) return [['issuer', provider.issuer]];
  if (provider.type === 'facebook') return provider.baseUrl === null ? [] : [['base_url', provider.baseUrl]];
  if (provider.type === 'jwt') return 'jwksUrl' in provider.keys ? [['keys.jwks_url', provider.keys.jwksUrl]] : [];
  return provider.type === 'http' ? [['url', provider.url]] : [];
};
