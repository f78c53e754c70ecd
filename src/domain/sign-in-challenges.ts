import { newId } from '../crypto/ids.ts';
import type { TenantAccountStore } from '../storage/tenant-accounts.ts';
import type { Origin } from './audit.ts';
import { addressOf, newDestination } from './destinations.ts';
import type { EmailAddress } from './email.ts';
import { type ProfileDefaults, readPhone } from './enrichment.ts';
import { type HeldChanges, NOTHING_HELD, type PendingChallenge } from './held-changes.ts';
import { type Limits, rateLimited } from './limits.ts';
import { WRONG_PHONE } from './phones.ts';
import { Refusal } from './refusal.ts';

type Dependencies = {
  store: TenantAccountStore;
  heldChanges: HeldChanges;
  limits: Limits;
  defaults: ProfileDefaults;
  origin: Origin;
  now: () => number;
};

/** Signing in by a code that is mailed or texted (contract 4, provider `otp`). */
export const createSignInChallenges = ({ store, heldChanges, limits, defaults, origin, now }: Dependencies) => ({
  /**
   * Sends a code to sign in with; the answer for an address or number that nobody has is the same, but nothing is sent
   * to it unless `allowsSignup`. Refuses with `validation_failed`, `sms_unavailable` and `rate_limited`.
   */
  send: async (
    { email, phone: typed, country }: { email: EmailAddress | null; phone: string | null; country: string | null },
    allowsSignup: boolean,
  ): Promise<PendingChallenge> => {
    // As for an upsert that tells an account by its number: both have to come to the same one.
    const edge = { country, timezone: null, acceptLanguage: null };
    const phone = await readPhone({ phone: typed }, { onFile: {}, edge, defaults });
    if (typed !== null && phone === null) throw new Refusal('validation_failed', { faults: [WRONG_PHONE] });
    const destination = newDestination(email, phone);
    heldChanges.requireMeans(destination);
    const reference = email ? { emailKey: email.key } : { phone: phone ?? '' };
    const [fromIp, counted] = await Promise.all([limits.attemptFrom(origin.ip), limits.mailTo(destination.to)]);
    const found = await store.find(reference, null, fromIp ? [fromIp, counted] : [counted]);
    if (found.waitMs > 0) throw rateLimited(found.waitMs);
    const user = found.account?.user ?? null;
    const at = now();
    const fresh = allowsSignup ? { customerId: newId('cus', at), userId: newId('usr', at), isNew: true } : null;
    const known = user && { customerId: user.customerId, userId: user.id, isNew: false };
    const target = user?.customer.status === 'disabled' ? null : (known ?? fresh);
    return heldChanges.challengeCounted(
      { ...NOTHING_HELD, purpose: 'sign_in', target, destination, countedBy: user && addressOf(user), email },
      user?.locale ?? null,
    );
  },
});

export type SignInChallenges = ReturnType<typeof createSignInChallenges>;
