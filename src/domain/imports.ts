import type { ConnectionStore } from '../storage/connections.ts';
import type { NewEvent } from '../storage/events.ts';
import type { ImportedAccount, ImportStore, NewAccount } from '../storage/imports.ts';
import type { ProviderStore } from '../storage/providers.ts';
import type { Attributes } from '../storage/schema.ts';
import type { SubscriptionStore } from '../storage/subscriptions.ts';
import type { Audit } from './audit.ts';
import { checkImported, type Offered } from './import-checks.ts';
import { accountOf, type ImportedCustomer, keyOfClaim } from './imported-customers.ts';
import type { Fault } from './refusal.ts';
import { listOffered } from './subscriptions.ts';

/** A line of an import, as far as it can be understood by itself: a customer without the members that are `faults`. */
export type ImportLine = { line: number } & (
  | { kind: 'empty' }
  | { kind: 'faulty'; faults: readonly Fault[] }
  | { kind: 'customer'; customer: ImportedCustomer; faults: readonly Fault[] }
);

/** `stored`: everything up to this line is done, and stays. */
export type ImportReport =
  | { kind: 'refused'; line: number; faults: readonly Fault[] }
  | { kind: 'stored'; line: number }
  | { kind: 'ended'; lines: number; created: number; existing: number; refused: number };

/**
 * Each table's rows in a batch are one parameter of D1, which takes 2 MB. In JSON, accounts with the names of all members
 * are longer than that; but what is JSON within JSON there can be twice its size.
 */
const BATCH = { lines: 500, bytes: 1_000_000 };

type Dependencies = {
  store: ImportStore;
  connections: ConnectionStore;
  providers: ProviderStore;
  subscriptions: SubscriptionStore;
  attributesSchema: Attributes | null;
  audit: Audit;
  /** Sees to it that webhooks are told of an event, once it is known to be written. */
  note: (event: NewEvent) => void;
  /** Refuses with `tenant_not_found` once the tenant is removed, of which nothing is left then. */
  requireKept: () => Promise<void>;
  now: () => number;
};

type Candidate = { line: number; account: NewAccount };

/** Customers from elsewhere, any number of them (contract 5). An import that is repeated changes nothing twice. */
export const createImports = (dependencies: Dependencies) => {
  const { store, connections, providers, subscriptions, attributesSchema, audit, note, requireKept, now } =
    dependencies;

  const findOffered = async (): Promise<Offered> => {
    const [connected, provided, offered] = await Promise.all([
      connections.list(),
      providers.list(),
      listOffered(subscriptions),
    ]);
    return {
      subscriptions: offered,
      identityProviders: new Set([
        ...connected.map(({ name }) => `connection:${name}`),
        ...provided.map(({ name }) => `provider:${name}`),
      ]),
      attributesSchema,
    };
  };

  /** Dated as it is written: whoever follows the log would miss what happened long before. */
  const withEvent = ({ account }: Candidate): ImportedAccount => ({
    ...account,
    event: audit('customer.created', 'operator', account.customer.id, { imported: true }),
  });

  /**
   * Stores those who can be, and gives what became of each. Of several who claim the same the first is tried; the others
   * wait until it is known whether it was stored.
   */
  const storeBatch = async (batch: readonly Candidate[]) => {
    const outcomes: { line: number; taken: string[] | 'nothing'; isKnown: boolean }[] = [];
    let undecided = batch;
    while (undecided.length > 0) {
      const tried = withoutRivals(undecided);
      const waiting = undecided.filter((each) => !tried.has(each));
      const written = [...tried].map(withEvent);
      const taken = Map.groupBy(await store.create(written, waiting.map(accountIn)), ({ customerId }) => customerId);
      for (const { customer, event } of written) if (!taken.has(customer.id)) note(event);
      const isDecided = (each: Candidate) => tried.has(each) || taken.has(each.account.customer.id);
      for (const { line, account } of undecided.filter(isDecided)) {
        const claims = taken.get(account.customer.id) ?? [];
        const isKnown = claims.some(({ path, isOfCustomer }) => isOfCustomer && path === account.claims[0]?.path);
        outcomes.push({ line, taken: claims.length > 0 ? claims.map(({ path }) => path) : 'nothing', isKnown });
      }
      undecided = undecided.filter((each) => !isDecided(each));
    }
    return outcomes.sort((a, b) => a.line - b.line);
  };

  /** Holds no more than a batch of the lines, and goes on as the reports are taken. */
  const importEach = async function* (
    lines: AsyncIterable<ImportLine>,
    offered: Offered,
  ): AsyncGenerator<ImportReport, void> {
    const counts = { lines: 0, created: 0, existing: 0, refused: 0 };
    let batch: Candidate[] = [];
    let bytes = 0;

    const refuse = (line: number, faults: readonly Fault[]): ImportReport => {
      counts.refused += 1;
      return { kind: 'refused', line, faults };
    };

    const finish = async function* (lastLine: number): AsyncGenerator<ImportReport, void> {
      const outcomes = await storeBatch(batch);
      // Not before it: the tenant could be removed while the batch is written.
      await requireKept();
      for (const { line, taken, isKnown } of outcomes) {
        if (taken === 'nothing') counts.created += 1;
        else if (isKnown) counts.existing += 1;
        else yield refuse(line, taken.map(belongsToAnother));
      }
      batch = [];
      bytes = 0;
      yield { kind: 'stored', line: lastLine };
    };

    for await (const each of lines) {
      counts.lines = each.line;
      if (each.kind === 'empty') continue;
      const faults = each.kind === 'faulty' ? each.faults : await checkImported(each, offered, now());
      if (each.kind === 'faulty' || faults.length > 0) {
        yield refuse(each.line, faults);
        continue;
      }
      const account = await accountOf(each.customer, now());
      const size = sizeOf(account);
      // What a line makes fits by itself, whatever it is.
      if (batch.length > 0 && bytes + size > BATCH.bytes) yield* finish(each.line - 1);
      batch.push({ line: each.line, account });
      bytes += size;
      if (batch.length === BATCH.lines) yield* finish(each.line);
    }
    yield* finish(counts.lines);
    yield { kind: 'ended', ...counts };
  };

  return {
    /**
     * Begins an import, which then goes on as its reports are taken. It ends with a refusal, `tenant_not_found`, when the
     * tenant is removed meanwhile.
     */
    begin: async (lines: AsyncIterable<ImportLine>): Promise<AsyncGenerator<ImportReport, void>> =>
      importEach(lines, await findOffered()),
  };
};

const sizeOf = (account: NewAccount): number => new TextEncoder().encode(JSON.stringify(account)).length;

const accountIn = ({ account }: Candidate): NewAccount => account;

/** Those who claim nothing that one before them in the list claims, too. */
const withoutRivals = (candidates: readonly Candidate[]): Set<Candidate> => {
  const claimed = new Set<string>();
  return new Set(
    candidates.filter(({ account }) => {
      const keys = account.claims.map(keyOfClaim);
      const isFirst = keys.every((key) => !claimed.has(key));
      for (const key of keys) claimed.add(key);
      return isFirst;
    }),
  );
};

const belongsToAnother = (path: string): Fault => ({
  path,
  code: 'invalid',
  message: 'belongs to another customer already',
});
