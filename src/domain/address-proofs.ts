import type { UserChanges } from '../storage/users.ts';

/**
 * What the first proof of an address makes of its user. Whoever registered it before may be anybody: nothing that they
 * set lets them in later. The session or token that the proof itself is worth is of `at`, and lives.
 */
export const firstProofOf = (at: number) =>
  ({
    ...{ passwordHash: null, passwordExpiresAt: null },
    ...{ pendingEmail: null, pendingEmailExpiresAt: null },
    ...{ phone: null, phoneVerifiedAt: null },
    ...{ activatedAt: at, validAfter: at - 1 },
  }) satisfies UserChanges;
