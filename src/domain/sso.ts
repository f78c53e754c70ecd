import { randomToken } from '../crypto/random.ts';
import type { Customer } from '../storage/customers.ts';
import type { App } from './access.ts';
import type { Audit } from './audit.ts';
import type { AuthorizationCodes } from './authorization-codes.ts';
import { Refusal } from './refusal.ts';

type Dependencies = { authorizationCodes: AuthorizationCodes; audit: Audit };

/** Sends a customer, signed in, to a platform of the app (contract 1, sso). */
export const createSso = ({ authorizationCodes, audit }: Dependencies) => ({
  /**
   * The platform's registered URL with an authorization code and its `state`, which the platform redeems together.
   * Without a name the app's first platform is meant. Refuses with `unknown_platform`.
   */
  authorize: async (app: App, customer: Customer, platformName: string | null): Promise<URL> => {
    const platform =
      platformName === null ? app.platforms[0] : app.platforms.find((each) => each.name === platformName);
    if (!platform) throw new Refusal('unknown_platform');
    const state = randomToken();
    const code = await authorizationCodes.issue(
      {
        userId: customer.ownerId,
        customerId: customer.id,
        state,
        browserHash: null,
        provider: 'sso',
        // The app vouches for the customer: how it knows is its own matter.
        amr: [],
        provesEmail: false,
        sealedLogoutHint: null,
      },
      audit('sso.redirected', `app:${app.appId}`, customer.id, { platform: platform.name }),
    );
    const url = new URL(platform.url);
    url.searchParams.set('code', code);
    url.searchParams.set('state', state);
    return url;
  },
});
