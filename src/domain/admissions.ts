import type { Account } from '../storage/accounts.ts';
import type { UserStore } from '../storage/users.ts';
import { type Access, type Credentials, maySee, mayUseApi } from './access.ts';
import { isAlive, type PresentedToken } from './access-tokens.ts';
import type { Author } from './applications.ts';
import { Refusal } from './refusal.ts';

/** Who creates or changes an account: by a token of its own, an app, or nobody knows who. */
export type Caller =
  | { kind: 'anonymous' }
  | { kind: 'user'; token: PresentedToken }
  | { kind: 'app'; credentials: Credentials };

/** Whether a caller may change an account at once, and who it is. */
type Admission = Author & { mayChange: boolean };

type Dependencies = { access: Access; users: UserStore };

/** Who may change which account through the tenant's forms and apps (contract 4, store). */
export const createAdmissions = ({ access, users }: Dependencies) => ({
  /** Refuses credentials that are not good, and an app that names a customer who may not be used through the API. */
  admit: async (caller: Caller, account: Account | null): Promise<Admission> => {
    if (caller.kind === 'anonymous') return { mayChange: false, actor: 'anonymous', appId: null };
    if (caller.kind === 'app') {
      const app = await access.asApp(caller.credentials);
      const customer = account?.user.customer ?? null;
      const mayChange = !customer || maySee(app, customer);
      if (customer && mayChange && !mayUseApi(customer)) throw new Refusal('api_access_denied');
      return { mayChange, actor: `app:${app.appId}`, appId: app.appId };
    }
    const user = await users.find(caller.token);
    if (!isAlive(caller.token, user)) throw new Refusal('unauthenticated');
    const mayChange = account !== null && account.user.id === caller.token.userId;
    return { mayChange, actor: `user:${caller.token.userId}`, appId: null };
  },
});

export type Admissions = ReturnType<typeof createAdmissions>;
