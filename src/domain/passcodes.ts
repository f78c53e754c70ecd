import type { TenantId } from '../crypto/ids.ts';
import { randomDigits } from '../crypto/random.ts';
import type { Mailer } from '../outside/mail/mailer.ts';
import type { ApiKeyStore } from '../storage/api-keys.ts';
import type { Customer } from '../storage/customers.ts';
import type { App, AppAndCustomer } from './access.ts';
import { type ApiKey, newRenewal } from './api-keys.ts';
import type { Audit, RecordLater } from './audit.ts';
import { parseEmailAddress } from './email.ts';
import { type Limits, rateLimited } from './limits.ts';
import { LIFETIME_SECONDS, type OneTimeSecrets } from './one-time-secrets.ts';
import { newRedemption } from './redemptions.ts';
import { Refusal } from './refusal.ts';

const DIGITS = 6;

type Dependencies = {
  tenantId: TenantId;
  oneTimeSecrets: OneTimeSecrets;
  apiKeys: ApiKeyStore;
  limits: Limits;
  mailer: Mailer;
  audit: Audit;
  recordLater: RecordLater;
  now: () => number;
};

/** The passcodes that are mailed to a customer and traded for its key pair (contract 1, passcode and auth). */
export const createPasscodes = ({
  tenantId,
  oneTimeSecrets,
  apiKeys,
  limits,
  mailer,
  audit,
  recordLater,
  now,
}: Dependencies) => ({
  /** Mails a new passcode, which kills the one before. Refuses with `rate_limited` and `mail_refused`. */
  send: (app: App, customer: Customer): Promise<void> => {
    const passcode = randomDigits(DIGITS);
    return oneTimeSecrets.mail({
      purpose: 'passcode',
      subject: customer.id,
      heldBy: customer.emailKey,
      secret: passcode,
      customerId: customer.id,
      emailKey: customer.emailKey,
      entryFor: (challengeId) => ({ challengeId, appId: app.appId }),
      event: audit('passcode.sent', `app:${app.appId}`, customer.id),
      send: () => mailer.sendPasscode(customer, passcode, LIFETIME_SECONDS.passcode),
    });
  },

  /**
   * Trades the passcode that was mailed to an address for the customer's key pair with the app that asked for it, once.
   * Refuses with `invalid_passcode`, whatever is wrong with it, and `rate_limited`.
   */
  redeem: async (admitted: Promise<AppAndCustomer>, address: string, passcode: string | undefined): Promise<ApiKey> => {
    const email = parseEmailAddress(address);
    // Looked for before it is known who asks: nothing is decided by what is found.
    const [{ app, customer }, found] = await Promise.all([
      admitted,
      email && passcode ? oneTimeSecrets.find('passcode', email.key, passcode) : null,
    ]);
    if (!passcode) throw new Refusal('invalid_passcode');
    const at = now();
    const [{ renewal, token }, wrongTry] = await Promise.all([
      newRenewal(tenantId, customer.id, app.appId, at),
      limits.wrongCodeOf(customer.emailKey),
    ]);
    const isOfApp = found?.appId === app.appId;
    const redemption = newRedemption('passcode', customer.id, isOfApp ? found.challengeId : null, at);
    const redeemed = await apiKeys.renewByRedemption(renewal, redemption, wrongTry, {
      renewed: audit('api_key.renewed', `app:${app.appId}`, customer.id, { by: 'passcode' }),
      refused: audit('login.failed', `app:${app.appId}`, customer.id, { by: 'passcode' }),
    });
    if (redeemed.kind === 'limited') throw rateLimited(redeemed.waitMs);
    if (redeemed.kind === 'refused') {
      if (redeemed.isLast) recordLater(audit('login.locked', `app:${app.appId}`, customer.id, { by: 'passcode' }));
      throw new Refusal('invalid_passcode');
    }
    return { id: customer.id, key: redeemed.key, token };
  },
});
