import { hashToken, isEqualInConstantTime } from '../crypto/hashing.ts';
import { isId } from '../crypto/ids.ts';
import type { AccessStore, AppCredential, CustomerReference } from '../storage/access.ts';
import type { Customer } from '../storage/customers.ts';
import type { AppPermission } from '../storage/schema.ts';
import type { UserStore } from '../storage/users.ts';
import { type AccessTokens, isAlive } from './access-tokens.ts';
import { parseEmailAddress } from './email.ts';
import { Refusal } from './refusal.ts';

/** A key pair as it was presented, and whether any of it came in the query string, which apps can refuse. */
export type Credentials = { key: string; token: string; isFromQuery: boolean };

/** An app whose credentials were right. */
export type App = Pick<AppCredential, 'appId' | 'permissions' | 'platforms' | 'seesAllCustomers'>;

/** An app, and a customer that it may see and that may be used through the API. */
export type AppAndCustomer = { app: App; customer: Customer };

/** Decides who may touch which customers (contract 1, credentials): one round trip each. */
type Dependencies = { store: AccessStore; users: UserStore; tokens: AccessTokens; now: () => number };

export const createAccess = ({ store, users, tokens, now }: Dependencies) => {
  const admitTo = async (
    credentials: Credentials,
    reference: CustomerReference | null,
    permission?: AppPermission,
  ): Promise<AppAndCustomer> => {
    const { credential, customer } = reference
      ? await store.findAppAndCustomer(credentials.key, reference)
      : { credential: await store.findApp(credentials.key), customer: null };
    const app = await admitApp(credentials, credential, now());
    if (permission && !app.permissions.includes(permission)) throw new Refusal('api_access_denied');
    if (!customer || !maySee(app, customer)) throw new Refusal('customer_not_found');
    if (!mayUseApi(customer)) throw new Refusal('api_access_denied');
    return { app, customer };
  };

  return {
    /** The app alone, for what concerns no customer yet. */
    asApp: async (credentials: Credentials): Promise<App> =>
      admitApp(credentials, await store.findApp(credentials.key), now()),

    /** The app, and the customer that it names by id. */
    asAppToId: (credentials: Credentials, id: string): Promise<AppAndCustomer> => admitTo(credentials, parseId(id)),

    /** The app, if it has the permission, and the customer that it names by email address. */
    asAppToEmail: (credentials: Credentials, email: string, permission: AppPermission): Promise<AppAndCustomer> =>
      admitTo(credentials, parseEmail(email), permission),

    /** The app, and the customer that it names either way. */
    asAppTo: (credentials: Credentials, identifier: string): Promise<AppAndCustomer> =>
      admitTo(credentials, parseId(identifier) ?? parseEmail(identifier)),

    /** A page of the customers that the app may see, newest first. One more than asked for tells that there are more. */
    asAppToPage: async (credentials: Credentials, page: Parameters<AccessStore['findAppAndPage']>[1]) => {
      const { credential, customers } = await store.findAppAndPage(credentials.key, page);
      await admitApp(credentials, credential, now());
      return customers;
    },

    /**
     * The customer that the key belongs to, which is the only one that it gives access to. The token is the key's own, or
     * an access token of one of the customer's users.
     */
    asCustomerTo: async (credentials: Credentials, identifier: string): Promise<Customer> => {
      const claims = isJwt(credentials.token) ? await tokens.verify(credentials.token) : null;
      const [found, user] = await Promise.all([store.findCustomerByKey(credentials.key), claims && users.find(claims)]);
      if (!found) throw new Refusal('unknown_key');
      const isRight = claims
        ? isAlive(claims, user) && user?.customerId === found.customer.id
        : await isRightToken(credentials, found.tokenHash);
      if (!isRight) throw new Refusal('invalid_token');
      if (credentials.isFromQuery && !found.acceptsQueryCredentials) throw new Refusal('query_credentials_refused');
      if (!mayUseApi(found.customer)) throw new Refusal('api_access_denied');
      if (found.customer.id !== identifier) throw new Refusal('customer_not_found');
      return found.customer;
    },
  };
};

export type Access = ReturnType<typeof createAccess>;

const admitApp = async (credentials: Credentials, credential: AppCredential | null, now: number): Promise<App> => {
  const isLive = credential && (credential.expiresAt === null || credential.expiresAt > now);
  if (!isLive) throw new Refusal('unknown_key');
  if (!(await isRightToken(credentials, credential.tokenHash))) throw new Refusal('invalid_token');
  if (credentials.isFromQuery && !credential.acceptsQueryCredentials) throw new Refusal('query_credentials_refused');
  return credential;
};

const isRightToken = async ({ token }: Credentials, tokenHash: string): Promise<boolean> =>
  isEqualInConstantTime(await hashToken(token), tokenHash);

/** An API token is one random text, a JWT three parts. */
const isJwt = (token: string): boolean => token.includes('.');

export const maySee = (app: App, customer: Pick<Customer, 'createdByApp'>): boolean =>
  app.seesAllCustomers || customer.createdByApp === app.appId;

export const mayUseApi = (customer: Pick<Customer, 'hasApiAccess' | 'status'>): boolean =>
  customer.hasApiAccess && customer.status === 'active';

const parseId = (text: string): CustomerReference | null => (isId('cus', text) ? { id: text } : null);

const parseEmail = (text: string): CustomerReference | null => {
  const email = parseEmailAddress(text);
  return email && { emailKey: email.key };
};
