import type { CustomerId, TenantId } from '../crypto/ids.ts';
import type { ExportedCustomer, ExportStore } from '../storage/exports.ts';
import type { Audit } from './audit.ts';

export type { ExportedCustomer, ExportedUser } from '../storage/exports.ts';

/** `rest`: there may be more after this customer, for another request to tell of. */
export type ExportReport =
  | { kind: 'page'; customers: readonly ExportedCustomer[] }
  | { kind: 'rest'; after: CustomerId };

/** Held at once: customers may come with 16 KiB of attributes each, and with any number of users. */
const PAGE = { customers: 200, users: 1000 };

/** D1 allows a thousand queries a request, and a page is five of them. */
const MOST_PAGES = 150;

/** All customers of a tenant, to be taken elsewhere (contract 5). */
export const createExports = ({
  tenantId,
  store,
  audit,
}: {
  tenantId: TenantId;
  store: ExportStore;
  audit: Audit;
}) => ({
  /**
   * Pages of customers, oldest first, from the one after `after` on; null for all. Nothing is read before the page before
   * it was taken.
   */
  begin: async (
    after: CustomerId | null,
    secrets: { passwordHashes: boolean },
  ): Promise<AsyncGenerator<ExportReport, void>> => {
    await store.record(audit('tenant.exported', 'operator', tenantId, { password_hashes: secrets.passwordHashes }));
    return pagesOf(store, after);
  },
});

const pagesOf = async function* (store: ExportStore, after: CustomerId | null): AsyncGenerator<ExportReport, void> {
  let last = after;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const customers = await store.page(last, PAGE);
    yield { kind: 'page', customers };
    if (!isFull(customers)) return;
    last = customers.at(-1)?.customer.id ?? last;
  }
  if (last !== null) yield { kind: 'rest', after: last };
};

const isFull = (customers: readonly ExportedCustomer[]): boolean =>
  customers.length >= PAGE.customers || customers.reduce((sum, { users }) => sum + users.length, 0) >= PAGE.users;
