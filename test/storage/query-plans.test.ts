import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newId } from '../../src/crypto/ids.ts';
import { createAccountStore } from '../../src/storage/accounts.ts';
import { createChallengeStore } from '../../src/storage/challenges.ts';
import { createCustomerStore } from '../../src/storage/customers.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { createEventLogStore } from '../../src/storage/event-log.ts';
import { createExportStore } from '../../src/storage/exports.ts';
import { createMemberStore } from '../../src/storage/members.ts';
import { createProfileStore } from '../../src/storage/profiles.ts';
import { createSupportStore } from '../../src/storage/support.ts';
import { createUpkeepSchedule, createUpkeepStore } from '../../src/storage/upkeep.ts';
import { createUserStore } from '../../src/storage/users.ts';
import { explained } from '../support/plans.ts';

const TENANT = newId('ten', 0);
const CUSTOMER = newId('cus', 0);
const EVENT = newId('evt', 0);

const plans = explained(env.DB);
const database = openDatabase(plans.database);

describe('the audit log is read by an index, in its order', () => {
  const ALL = { limit: 100, before: null, from: null, types: null, subject: null };
  const BY_ID = 'sqlite_autoindex_events_1 (tenant_id=?';
  const BY_SUBJECT = 'events_subject (tenant_id=? AND subject=?';
  const BY_TYPE = 'events_type (tenant_id=? AND type=?';
  const WITHIN = { before: EVENT, from: EVENT };

  it.each([
    ['everything', {}, [BY_ID]],
    ['a type', { types: ['login.failed'] }, [BY_TYPE]],
    ['a kind', { types: ['email.changed', 'login.failed'] }, [BY_TYPE, BY_TYPE]],
    ['a subject', { subject: CUSTOMER }, [BY_SUBJECT]],
    ['a type of a subject', { subject: CUSTOMER, types: ['login.failed'] }, [BY_SUBJECT]],
    ['a kind of a subject', { subject: CUSTOMER, types: ['email.changed', 'login.failed'] }, [BY_SUBJECT]],
  ])('for %s, also within bounds', async (_, filter, indexes) => {
    const log = createEventLogStore(database, TENANT);
    expect(await plans.during(() => log.list({ ...ALL, ...filter }))).toEqual(
      indexes.map((index) => [`SEARCH events USING INDEX ${index})`]),
    );
    expect(await plans.during(() => log.list({ ...ALL, ...filter, ...WITHIN }))).toEqual(
      indexes.map((index) => [`SEARCH events USING INDEX ${index} AND id>? AND id<?)`]),
    );
  });
});

it('upkeep goes through nothing that is not past, but for the few keys, apps and webhooks of a tenant', async () => {
  const past = { expired: 0, rateHits: 0, sessions: 0, delivered: 0, failed: 0, firstRecent: EVENT, firstKept: EVENT };
  const steps = (await plans.during(() => createUpkeepStore(database, TENANT).deletePast(past))).flat();
  expect(steps.filter((step) => step.startsWith('SCAN'))).toEqual([]);
  const wholeTenant = steps.filter((step) => step.endsWith('(tenant_id=?)')).map((step) => step.split(' ')[1]);
  expect([...new Set(wholeTenant)].toSorted()).toEqual(['app_credentials', 'signing_keys', 'webhooks']);
});

it('tenants that were removed are found without going through what else happened', async () => {
  const steps = await plans.during(() => createUpkeepSchedule(database).listRemoved(0, 0, 1));
  expect(steps[0]).toContain('SEARCH events USING INDEX events_tenant_deleted (at>? AND at<?)');
  expect(steps.flat().filter((step) => step.startsWith('SCAN'))).toEqual([]);
});

it.each([
  ['alone', {}],
  ['on a further page', { before: CUSTOMER }],
  ['with more that is asked for', { before: CUSTOMER, prefix: 'a', status: 'active' as const }],
])('customers are found by an address %s without going through any others', async (_, more) => {
  const store = createCustomerStore(database, TENANT);
  const filter = { limit: 100, before: null, prefix: null, status: null, emailKey: 'a@example.com', ...more };
  const steps = (await plans.during(() => store.list(filter))).flat();
  expect(steps.filter((step) => /^(SEARCH|SCAN)/.test(step))).toEqual([
    'SEARCH customers USING INDEX sqlite_autoindex_customers_1 (tenant_id=? AND id=?)',
    'SEARCH customers USING INDEX customers_email (tenant_id=? AND email_key=?)',
    'SEARCH users USING INDEX users_email (tenant_id=? AND email_key=?)',
  ]);
});

describe('the people of a customer are found without going through those of others', () => {
  it.each([
    ['the first', null],
    ['the next', newId('usr', 0)],
  ])('its users, %s page', async (_, before) => {
    const store = createSupportStore(database, TENANT);
    const steps = (await plans.during(() => store.listUsers(CUSTOMER, { limit: 100, before }))).flat();
    expect(steps.filter(isOfManyCustomers)).toEqual([]);
  });

  it.each([
    ['the first', null],
    ['the next', newId('ses', 0)],
  ])('its sessions, %s page', async (_, before) => {
    const store = createSupportStore(database, TENANT);
    const steps = (await plans.during(() => store.listSessions(CUSTOMER, { limit: 100, before }, 0))).flat();
    expect(steps.filter(isOfManyCustomers)).toEqual([]);
  });

  const WHOM = { userId: newId('usr', 0), sessionId: null };

  it.each<[string, () => Promise<unknown>]>([
    ['to whoever is signed in, itself', () => createProfileStore(database, TENANT).find(WHOM)],
    ['to its users, each other', () => createMemberStore(database, TENANT).list(WHOM, { limit: 100, before: null })],
    ['in an export', () => createAccountStore(database, TENANT).findHoldings(CUSTOMER)],
  ])('%s', async (_, find) => {
    expect((await plans.during(find)).flat().filter(isOfManyCustomers)).toEqual([]);
  });
});

it.each([
  ['the first', null, '(tenant_id=?)'],
  ['the next', CUSTOMER, '(tenant_id=? AND id>?)'],
])('%s page of an export goes through entries of indexes alone to learn where it ends', async (_, after, of) => {
  const store = createExportStore(database, TENANT);
  const steps = (await plans.during(() => store.page(after, { customers: 200, users: 1000 }))).flat();
  expect([...new Set(steps.filter(isOfManyCustomers))]).toEqual([
    `SEARCH customers USING COVERING INDEX sqlite_autoindex_customers_1 ${of}`,
    'SCAN most',
    ...(after === null ? ['SEARCH users USING COVERING INDEX users_customer (tenant_id=?)'] : []),
  ]);
});

it('an attempt is counted without going through those of others', async () => {
  const hit = { bucket: 'bucket', id: 'hit', at: 0 };
  const counted = [
    { hit, limits: [{ limit: 1, windowMs: 1 }] },
    { hit: { ...hit, bucket: 'other' }, limits: [{ limit: 1, windowMs: 1 }] },
  ];
  const users = createUserStore(database, TENANT);
  const steps = (await plans.during(() => users.attempt({ emailKey: 'a@example.com' }, counted))).flat();
  expect(steps.filter((step) => step.includes('rate_hits') && !step.includes('bucket=?'))).toEqual([]);
});

it('a change is held without going through those that wait for others', async () => {
  const lasts = { createdAt: 0, expiresAt: 1 };
  const challenge = {
    id: newId('chl', 0),
    purpose: 'challenge_code',
    subject: 'one',
    customerId: CUSTOMER,
    ...lasts,
  } as const;
  const held = { id: newId('chg', 0), subject: 'one', customerId: CUSTOMER, sealedChange: '', expiresAt: 1 };
  const store = createChallengeStore(database, TENANT);
  const steps = (await plans.during(() => store.issue({ challenge, held }))).flat();
  expect(steps.filter((step) => step.includes('held_changes'))).toEqual([
    'SEARCH held_changes USING INDEX held_changes_expiry (tenant_id=? AND expires_at<?)',
    'SEARCH held_changes USING INDEX held_changes_subject (tenant_id=? AND subject=?)',
  ]);
});

const isOfManyCustomers = (step: string): boolean => /^SCAN|\(tenant_id=\?( AND (id|expires_at)[<>]\?)?\)$/.test(step);
