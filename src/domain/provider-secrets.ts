import type { Sealer } from '../crypto/sealing.ts';
import type { ProviderSettings } from '../storage/schema.ts';
import type { ProviderProfile } from './providers.ts';

type Provider = ProviderProfile['provider'];

/** What is secret of providers, as it is stored. */
export const createProviderSecrets = (sealer: () => Promise<Sealer>) => ({
  seal: async (name: string, provider: Provider): Promise<ProviderSettings> => {
    const seal = async (secret: string) => (await sealer()).seal(secret, contextOf(name));
    if ('clientSecret' in provider) {
      const { clientSecret, ...rest } = provider;
      return { ...rest, sealedClientSecret: clientSecret && (await seal(clientSecret)) };
    }
    if ('signingKey' in provider) {
      const { signingKey, ...rest } = provider;
      if (signingKey === null) return { ...rest, signingKey };
      const { privateKey, ...key } = signingKey;
      return { ...rest, signingKey: { ...key, sealedPrivateKey: await seal(privateKey) } };
    }
    if ('appSecret' in provider) {
      const { appSecret, ...rest } = provider;
      return { ...rest, sealedAppSecret: await seal(appSecret) };
    }
    if ('secret' in provider) {
      const { secret, ...rest } = provider;
      return { ...rest, sealedSecret: await seal(secret) };
    }
    return provider;
  },

  open: async (name: string, settings: ProviderSettings): Promise<Provider> => {
    const open = async (secret: string) => (await sealer()).open(secret, contextOf(name));
    if ('sealedClientSecret' in settings) {
      const { sealedClientSecret, ...rest } = settings;
      return { ...rest, clientSecret: sealedClientSecret && (await open(sealedClientSecret)) };
    }
    if ('signingKey' in settings) {
      const { signingKey, ...rest } = settings;
      if (signingKey === null) return { ...rest, signingKey };
      const { sealedPrivateKey, ...key } = signingKey;
      return { ...rest, signingKey: { ...key, privateKey: await open(sealedPrivateKey) } };
    }
    if ('sealedAppSecret' in settings) {
      const { sealedAppSecret, ...rest } = settings;
      return { ...rest, appSecret: await open(sealedAppSecret) };
    }
    if ('sealedSecret' in settings) {
      const { sealedSecret, ...rest } = settings;
      return { ...rest, secret: await open(sealedSecret) };
    }
    return settings;
  },
});

const contextOf = (name: string): string => `provider ${name}`;
