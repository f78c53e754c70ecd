import { type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import { holdWith, issueChallenge, type MailedChallenge } from './challenges.ts';
import { type Database, StorageError } from './database.ts';
import { recordEventIf } from './events.ts';
import { allows, countHit, forgetOldHits, hitsOfAll, isCounted, waitForAll } from './rate-hits.ts';

/**
 * The statements that issue a secret in the batch of what it belongs to, where the condition holds. A limit that forbids
 * the mail lets the whole batch fail: the challenge then has no id, which its column refuses.
 */
export const issueOrFail = (
  db: Database,
  tenantId: TenantId,
  { challenge, held, counted: { hit, limits }, event }: MailedChallenge,
  condition: SQL = sql`true`,
) => [
  forgetOldHits(db, tenantId, hit, limits),
  countHit(db, tenantId, hit, sql`${condition} and ${allows(tenantId, hit, limits)}`),
  issueChallenge(
    db,
    tenantId,
    challenge,
    condition,
    sql`case when ${isCounted(tenantId, hit)} then ${challenge.id} end`,
  ),
  ...holdWith(db, tenantId, { challenge, held }, condition),
  recordEventIf(db, tenantId, event, condition),
];

/** After a batch that `issueOrFail` may have let fail: how long the mails have to wait. Throws what failed otherwise. */
export const waitAfterFailure = async (
  db: Database,
  tenantId: TenantId,
  error: unknown,
  mailed: readonly MailedChallenge[],
): Promise<number> => {
  if (!new StorageError(error).message.includes('NOT NULL constraint failed: challenges.id')) throw error;
  const counted = mailed.map((each) => each.counted);
  return waitForAll(await hitsOfAll(db, tenantId, counted), counted);
};
