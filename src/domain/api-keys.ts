import { hashToken } from '../crypto/hashing.ts';
import { type AppId, type CustomerId, newCredentialKey, type TenantId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { ApiKeyStore, KeyRenewal } from '../storage/api-keys.ts';
import type { AppAndCustomer } from './access.ts';
import type { Audit } from './audit.ts';

/** A customer's key pair. Only a hash of the token is kept: this is the one time that it is told. */
export type ApiKey = { id: CustomerId; key: string; token: string };

/** A renewal with the token that it is for. */
export const newRenewal = async (
  tenantId: TenantId,
  customerId: CustomerId,
  appId: AppId,
  at: number,
): Promise<{ renewal: KeyRenewal; token: string }> => {
  const token = randomToken();
  const key = newCredentialKey('ck', tenantId);
  return { renewal: { customerId, appId, key, tokenHash: await hashToken(token), at }, token };
};

type Dependencies = { tenantId: TenantId; store: ApiKeyStore; audit: Audit; now: () => number };

export const createApiKeys = ({ tenantId, store, audit, now }: Dependencies) => ({
  /** Gives the customer's pair with the app a new token; the one before stops working at once. */
  renew: async (admitted: Promise<AppAndCustomer>): Promise<ApiKey> => {
    const { app, customer } = await admitted;
    const { renewal, token } = await newRenewal(tenantId, customer.id, app.appId, now());
    const key = await store.renew(renewal, audit('api_key.renewed', `app:${app.appId}`, customer.id));
    return { id: customer.id, key, token };
  },
});
