import type { KeyedHash } from '../crypto/hashing.ts';
import { type CustomerId, isId, newId, type TenantId } from '../crypto/ids.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type {
  Customer,
  CustomerChanges,
  CustomerFilter,
  CustomerRow,
  CustomerState,
  CustomerStore,
  KeptAnswer,
  NewCustomer,
  NewUser,
} from '../storage/customers.ts';
import type { App } from './access.ts';
import type { Activations } from './activations.ts';
import { newRenewal } from './api-keys.ts';
import type { Actor, Audit } from './audit.ts';
import type { EmailAddress } from './email.ts';
import { Refusal } from './refusal.ts';

/** What is known of a customer that is to be created: null where nothing is. */
export type CustomerDetails = Pick<NewCustomer, keyof CustomerChanges>;

export type { Customer, CustomerChanges, CustomerRow } from '../storage/customers.ts';

/** What a caller of `create` gets, and gets again when it repeats the request under the same idempotency key. */
export type CreatedCustomer = { id: CustomerId; key: string; token: string };

/** The caller's `Idempotency-Key`, and the request that it goes with. */
export type Idempotency = { key: string; request: string };

const KEPT_ANSWER_LIFETIME_MS = 24 * 3_600_000;

type Dependencies = {
  tenantId: TenantId;
  store: CustomerStore;
  activations: Activations;
  sealer: () => Promise<Sealer>;
  keyedHash: KeyedHash;
  audit: Audit;
  now: () => number;
};

export const createCustomers = ({ tenantId, store, activations, sealer, keyedHash, audit, now }: Dependencies) => {
  const contextOf = (appId: string, key: string) => `answer of ${tenantId} to ${appId} for ${key}`;

  const keep = async (
    app: App,
    idempotency: Idempotency,
    created: CreatedCustomer,
    at: number,
  ): Promise<KeptAnswer> => ({
    appId: app.appId,
    key: idempotency.key,
    customerId: created.id,
    requestHash: await keyedHash('idempotent request', tenantId, idempotency.request),
    sealedAnswer: await (await sealer()).seal(JSON.stringify(created), contextOf(app.appId, idempotency.key)),
    expiresAt: at + KEPT_ANSWER_LIFETIME_MS,
  });

  const answerAgain = async (kept: KeptAnswer): Promise<CreatedCustomer> => {
    const earlier = await store.findKeptAnswer(kept.appId, kept.key, now());
    if (!earlier) throw new Refusal('storage_unavailable', { retryAfterSeconds: 1 });
    if (earlier.requestHash !== kept.requestHash) throw new Refusal('idempotency_key_reused');
    const answer: CreatedCustomer = JSON.parse(
      await (await sealer()).open(earlier.sealedAnswer, contextOf(kept.appId, kept.key)),
    );
    return answer;
  };

  /** Refuses with `customer_not_found`. */
  const get = async (id: string): Promise<CustomerRow> => {
    const customer = isId('cus', id) ? await store.find(id) : null;
    if (!customer) throw new Refusal('customer_not_found');
    return customer;
  };

  return {
    get,

    list: (filter: CustomerFilter): Promise<CustomerRow[]> => store.list(filter),

    /** Disables or enables: for the operator. What is so already is no change. Refuses with `customer_not_found`. */
    changeState: async (id: string, state: CustomerState): Promise<CustomerRow> => {
      const customer = await get(id);
      if (isSo(customer, state)) return customer;
      const event = audit('customer.updated', 'operator', customer.id, {
        ...(state.status !== undefined && { status: state.status }),
        ...(state.hasApiAccess !== undefined && { api_access: state.hasApiAccess }),
      });
      const changed = await store.update(customer.id, state, now(), event);
      if (!changed) throw new Refusal('customer_not_found');
      return changed;
    },

    /**
     * Creates a customer for an app, with its owner and its key pair. With `sendsActivation` the owner is mailed a link
     * to choose a password; when that mail is refused there is no customer either.
     * Refuses with `email_taken`, `idempotency_key_reused`, `mail_refused` and `rate_limited`.
     */
    create: async (
      app: App,
      email: EmailAddress,
      details: CustomerDetails,
      { sendsActivation, idempotency }: { sendsActivation: boolean; idempotency: Idempotency | null },
    ): Promise<CreatedCustomer> => {
      const at = now();
      const actor: Actor = `app:${app.appId}`;
      const id = newId('cus', at);
      const times = { createdAt: at, updatedAt: at };
      const addresses = { email: email.address, emailKey: email.key };
      const owner: NewUser = {
        id: newId('usr', at),
        customerId: id,
        ...addresses,
        isOwner: true,
        locale: null,
        ...times,
      };
      const { renewal, token } = await newRenewal(tenantId, id, app.appId, at);
      const created = { id, key: renewal.key, token };
      const keptAnswer = idempotency && (await keep(app, idempotency, created, at));
      const outcome = await store.create({
        customer: {
          id,
          ...details,
          ...addresses,
          status: 'active',
          hasApiAccess: true,
          createdByApp: app.appId,
          version: 1,
          ...times,
        },
        owner,
        apiKey: renewal,
        keptAnswer,
        event: audit('customer.created', actor, id),
      });
      if (outcome === 'answered_before' && keptAnswer) return answerAgain(keptAnswer);
      if (outcome !== 'created') throw new Refusal('email_taken');
      if (sendsActivation) {
        try {
          await activations.send(actor, id, owner);
        } catch (error) {
          await store.remove(id, audit('customer.deleted', 'system', id));
          throw error;
        }
      }
      return created;
    },

    /** Changes what is given and gives the customer as it is then. Refuses with `customer_not_found`. */
    update: async (actor: Actor, customer: Customer, changes: CustomerChanges): Promise<CustomerRow> => {
      const event = audit('customer.updated', actor, customer.id, { members: Object.keys(changes).join(' ') });
      const updated = await store.update(customer.id, changes, now(), event);
      if (!updated) throw new Refusal('customer_not_found');
      return updated;
    },

    /** Deletes a customer for good, with its users, credentials and personal data. Refuses with `customer_not_found`. */
    remove: async (actor: Actor, id: string): Promise<void> => {
      const isRemoved = isId('cus', id) && (await store.remove(id, audit('customer.deleted', actor, id)));
      if (!isRemoved) throw new Refusal('customer_not_found');
    },
  };
};

const isSo = (customer: CustomerRow, { status, hasApiAccess }: CustomerState): boolean =>
  (status ?? customer.status) === customer.status && (hasApiAccess ?? customer.hasApiAccess) === customer.hasApiAccess;
