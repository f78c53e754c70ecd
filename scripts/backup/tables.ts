import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';

/** They come from elsewhere, and are most of the rows. */
const LOADED_AGAIN = ['postal_codes'];

/** A trigger writes the deliveries of an event to the webhooks that are there: no event may find any. */
const BEHIND_EVENTS = ['webhooks', 'deliveries'];

const journal = z.object({ entries: z.array(z.object({ idx: z.int() })) });
const snapshot = z.object({
  tables: z.record(
    z.string(),
    z.object({ name: z.string(), foreignKeys: z.record(z.string(), z.object({ tableTo: z.string() })) }),
  ),
});

const meta = path.join(import.meta.dirname, '../../migrations/meta');
const read = (file: string): unknown => JSON.parse(readFileSync(path.join(meta, file), 'utf8'));

/**
 * The names of all tables whose rows are the service's own, each behind those that its rows refer to, and in an
 * order in which no trigger adds to them: as the last migration left them.
 */
export const listTables = (): string[] => {
  const last = journal.parse(read('_journal.json')).entries.at(-1)?.idx ?? 0;
  const { tables } = snapshot.parse(read(`${String(last).padStart(4, '0')}_snapshot.json`));
  const ordered = new Set<string>();
  const visited = new Set<string>();
  const add = (name: string): void => {
    if (visited.has(name)) return;
    visited.add(name);
    for (const { tableTo } of Object.values(tables[name]?.foreignKeys ?? {})) add(tableTo);
    ordered.add(name);
  };
  const [behind, others] = [BEHIND_EVENTS, Object.keys(tables).filter((name) => !BEHIND_EVENTS.includes(name))];
  for (const name of [...others, ...behind]) add(name);
  return [...ordered].filter((name) => !LOADED_AGAIN.includes(name));
};
