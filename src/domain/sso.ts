import type { KeyedHash } from '../crypto/hashing.ts';
import { newId, type TenantId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { ChallengeStore } from '../storage/challenges.ts';
import type { Customer } from '../storage/customers.ts';
import type { SecretStore } from '../storage/kv.ts';
import type { App } from './access.ts';
import type { Audit } from './audit.ts';
import { LIFETIME_SECONDS } from './one-time-secrets.ts';
import { Refusal } from './refusal.ts';

type Dependencies = {
  tenantId: TenantId;
  challenges: ChallengeStore;
  secrets: SecretStore;
  keyedHash: KeyedHash;
  audit: Audit;
  now: () => number;
};

/** Sends a customer, signed in, to a platform of the app (contract 1, sso). */
export const createSso = ({ tenantId, challenges, secrets, keyedHash, audit, now }: Dependencies) => ({
  /**
   * The platform's registered URL with an authorization code and its `state`, which the platform redeems together.
   * Without a name the app's first platform is meant. Refuses with `unknown_platform`.
   */
  authorize: async (app: App, customer: Customer, platformName: string | null): Promise<URL> => {
    const platform =
      platformName === null ? app.platforms[0] : app.platforms.find((each) => each.name === platformName);
    if (!platform) throw new Refusal('unknown_platform');
    const [code, state, createdAt] = [randomToken(), randomToken(), now()];
    const id = newId('chl', createdAt);
    const [codeHash, stateHash] = await Promise.all([
      keyedHash('one-time secret', 'authorization_code', tenantId, code),
      keyedHash('state', tenantId, state),
    ]);
    const lifetimeSeconds = LIFETIME_SECONDS.authorization_code;
    await Promise.all([
      challenges.issue(
        {
          id,
          purpose: 'authorization_code',
          // Every code is a subject of its own: a second redirect does not kill the first.
          subject: id,
          customerId: customer.id,
          createdAt,
          expiresAt: createdAt + lifetimeSeconds * 1000,
        },
        audit('sso.redirected', `app:${app.appId}`, customer.id, { platform: platform.name }),
      ),
      secrets.put(
        'authorization_code',
        codeHash,
        { challengeId: id, customerId: customer.id, appId: app.appId, stateHash },
        lifetimeSeconds,
      ),
    ]);
    const url = new URL(platform.url);
    url.searchParams.set('code', code);
    url.searchParams.set('state', state);
    return url;
  },
});
