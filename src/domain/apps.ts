import { hashToken } from '../crypto/hashing.ts';
import { type AppId, isId, newCredentialKey, newId, type TenantId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { App, AppChanges, AppStore, AppWithKey, NewCredential } from '../storage/apps.ts';
import type { Audit } from './audit.ts';
import { Refusal } from './refusal.ts';

export type { AppWithKey } from '../storage/apps.ts';

export type AppSettings = Pick<App, 'name' | 'permissions' | 'platforms' | 'acceptsQueryCredentials'>;

/** An app's pair, told once: only a hash of the token is kept. */
export type SuperCredentials = { id: AppId; superKey: string; superToken: string };

type Dependencies = { tenantId: TenantId; store: AppStore; audit: Audit; now: () => number };

/** The callers that a tenant registers, each with a super key and token. All verbs are the operator's. */
export const createApps = ({ tenantId, store, audit, now }: Dependencies) => {
  const newCredential = async (appId: AppId): Promise<{ credential: NewCredential; superToken: string }> => {
    const superToken = randomToken();
    const credential = {
      superKey: newCredentialKey('sk', tenantId),
      appId,
      tokenHash: await hashToken(superToken),
      createdAt: now(),
    };
    return { credential, superToken };
  };

  const get = async (id: string): Promise<AppWithKey> => {
    const app = isId('app', id) ? await store.find(id) : null;
    if (!app) throw new Refusal('app_not_found');
    return app;
  };

  return {
    register: async (settings: AppSettings): Promise<SuperCredentials> => {
      const at = now();
      const id = newId('app', at);
      const { credential, superToken } = await newCredential(id);
      const seesAllCustomers = settings.permissions.includes('all_customers');
      await store.create(
        { id, ...settings, seesAllCustomers, createdAt: at, updatedAt: at },
        credential,
        audit('app.created', 'operator', id),
      );
      return { id, superKey: credential.superKey, superToken };
    },

    list: (limit: number, before: AppId | null): Promise<AppWithKey[]> => store.list(limit, before),

    /** Changes what is given and gives the app as it is then. Refuses with `app_not_found`, as the verbs below do. */
    change: async (id: string, changes: AppChanges): Promise<AppWithKey> => {
      if (Object.values(changes).every((each) => each === undefined)) return get(id);
      const changed = isId('app', id) ? await store.update(id, changes, audit('app.updated', 'operator', id)) : null;
      if (!changed) throw new Refusal('app_not_found');
      return changed;
    },

    /** Gives the app a new pair. The pairs from before stay valid for `overlapSeconds`. */
    rotate: async (id: string, overlapSeconds: number): Promise<SuperCredentials> => {
      const app = await get(id);
      const { credential, superToken } = await newCredential(app.id);
      const event = audit('app.rotated', 'operator', app.id, { overlap_seconds: overlapSeconds });
      const isRotated = await store.rotate(credential, credential.createdAt + overlapSeconds * 1000, event);
      if (!isRotated) throw new Refusal('app_not_found');
      return { id: app.id, superKey: credential.superKey, superToken };
    },

    /** Removes the app and the key pairs that customers had with it; the customers stay. */
    remove: async (id: string): Promise<void> => {
      const isRemoved = isId('app', id) && (await store.remove(id, audit('app.deleted', 'operator', id)));
      if (!isRemoved) throw new Refusal('app_not_found');
    },
  };
};
