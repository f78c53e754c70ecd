import { and, asc, eq, lt, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEventIf } from './events.ts';
import { deliveries, webhooks } from './schema.ts';

/** Whom the operator wants told of what happens. */
export type Webhook = Omit<typeof webhooks.$inferSelect, 'tenantId'>;

/** A secret in place of the one before, which signs beside it until then. */
export type NewSecret = { sealedSecret: string; oldSecretExpiresAt: number };

/**
 * The event of a change comes before the change in its batch: a webhook is not told of its own making, and learns that
 * it was disabled when it is enabled again.
 */
export const createWebhookStore = (db: Database, tenantId: TenantId) => {
  const ofName = (name: string) => and(eq(webhooks.tenantId, tenantId), eq(webhooks.name, name));

  const exists = (condition: SQL | undefined): SQL => sql`exists (select 1 from ${webhooks} where ${condition})`;

  return {
    /** By name. */
    list: async (): Promise<Webhook[]> => {
      const rows = await db.select().from(webhooks).where(eq(webhooks.tenantId, tenantId)).orderBy(asc(webhooks.name));
      return rows.map(withoutTenant);
    },

    find: async (name: string): Promise<Webhook | null> => {
      const [row] = await db.select().from(webhooks).where(ofName(name));
      return row ? withoutTenant(row) : null;
    },

    /** False if there is one of this name. */
    create: async (webhook: Webhook, event: NewEvent): Promise<boolean> => {
      const [, created] = await db.batch([
        recordEventIf(db, tenantId, event, sql`not ${exists(ofName(webhook.name))}`),
        db
          .insert(webhooks)
          .values({ tenantId, ...webhook })
          .onConflictDoNothing()
          .returning({ name: webhooks.name }),
      ]);
      return created.length > 0;
    },

    /**
     * False, and nothing done, if its secret or status are no longer those from before. One that is enabled again is told
     * of what waits since `resumedFrom`, beginning now; what is older has failed.
     */
    replace: async (before: Webhook, after: Webhook, resumedFrom: number, event: NewEvent): Promise<boolean> => {
      const { name, sealedSecret, status } = before;
      const isAsBefore = and(ofName(name), eq(webhooks.sealedSecret, sealedSecret), eq(webhooks.status, status));
      const isEnabled = and(ofName(name), eq(webhooks.status, 'active'));
      const waiting = and(
        eq(deliveries.tenantId, tenantId),
        eq(deliveries.webhook, name),
        eq(deliveries.status, 'pending'),
        exists(isEnabled),
      );
      const resume = [
        db
          .update(deliveries)
          .set({ status: 'failed', lastError: 'expired' })
          .where(and(waiting, lt(deliveries.createdAt, resumedFrom))),
        db.update(deliveries).set({ attempts: 0, dueAt: event.at }).where(waiting),
      ];
      const [, replaced] = await db.batch([
        recordEventIf(db, tenantId, event, exists(isAsBefore)),
        db.update(webhooks).set(after).where(isAsBefore).returning({ name: webhooks.name }),
        ...(status === 'disabled' && after.status === 'active' ? resume : []),
      ]);
      return replaced.length > 0;
    },

    /** The webhook as it is then; null if there is none. */
    rotate: async (name: string, secret: NewSecret, event: NewEvent): Promise<Webhook | null> => {
      const [, [row]] = await db.batch([
        recordEventIf(db, tenantId, event, exists(ofName(name))),
        db
          .update(webhooks)
          .set({ ...secret, sealedOldSecret: sql`${webhooks.sealedSecret}`, updatedAt: event.at })
          .where(ofName(name))
          .returning(),
      ]);
      return row ? withoutTenant(row) : null;
    },

    /** Disables a webhook for good, as far as it depends on the receiver at this URL. */
    disableGone: async (name: string, url: string, event: NewEvent): Promise<void> => {
      const isActive = and(ofName(name), eq(webhooks.url, url), eq(webhooks.status, 'active'));
      await db.batch([
        recordEventIf(db, tenantId, event, exists(isActive)),
        db.update(webhooks).set({ status: 'disabled', disabledReason: 'gone', updatedAt: event.at }).where(isActive),
      ]);
    },

    /** Removes it, and all that it was or is to be told of. False if there is none. */
    remove: async (name: string, event: NewEvent): Promise<boolean> => {
      const [, , removed] = await db.batch([
        recordEventIf(db, tenantId, event, exists(ofName(name))),
        db.delete(deliveries).where(and(eq(deliveries.tenantId, tenantId), eq(deliveries.webhook, name))),
        db.delete(webhooks).where(ofName(name)).returning({ name: webhooks.name }),
      ]);
      return removed.length > 0;
    },
  };
};

export type WebhookStore = ReturnType<typeof createWebhookStore>;

const withoutTenant = ({ tenantId: _, ...webhook }: typeof webhooks.$inferSelect): Webhook => webhook;
