import type { TenantId } from '../crypto/ids.ts';
import type { ExportedCustomer, ExportStore } from '../storage/exports.ts';
import type { Audit } from './audit.ts';

export type { ExportedCustomer, ExportedUser } from '../storage/exports.ts';

const PAGE = 500;

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
  /** Pages of customers, oldest first. Nothing is read before the one before it was taken. */
  begin: async (secrets: { passwordHashes: boolean }): Promise<AsyncGenerator<ExportedCustomer[], void>> => {
    await store.record(audit('tenant.exported', 'operator', tenantId, { password_hashes: secrets.passwordHashes }));
    return pagesOf(store);
  },
});

const pagesOf = async function* (store: ExportStore): AsyncGenerator<ExportedCustomer[], void> {
  let page = await store.page(null, PAGE);
  while (page.length > 0) {
    yield page;
    const last = page.at(-1)?.customer.id ?? null;
    page = page.length < PAGE ? [] : await store.page(last, PAGE);
  }
};
