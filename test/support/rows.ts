import { env } from 'cloudflare:workers';

/** Every row that a tenant has in D1, by table. */
export const rowsOf = async (tenantId: string): Promise<Record<string, Record<string, unknown>[]>> => {
  const { results } = await env.DB.prepare(
    "select name from sqlite_master where type = 'table' and sql like '%`tenant_id`%' order by name",
  ).all<{ name: string }>();
  const found = await env.DB.batch<Record<string, unknown>>(
    results.map(({ name }) => env.DB.prepare(`select * from ${name} where tenant_id = ?`).bind(tenantId)),
  );
  return Object.fromEntries(results.map(({ name }, i) => [name, found[i]?.results ?? []]));
};

/** The types of the events about someone, oldest first, with who did it. */
export const eventsAbout = async (subject: string): Promise<{ type: string; actor: string }[]> => {
  const { results } = await env.DB.prepare('select type, actor from events where subject = ? order by at, rowid')
    .bind(subject)
    .all<{ type: string; actor: string }>();
  return results;
};

/** The events that tell of locks of someone, oldest first. */
export const locksOf = async (subject: string): Promise<{ actor: string; data: string }[]> => {
  const { results } = await env.DB.prepare(
    "select actor, data from events where subject = ? and type = 'login.locked' order by at, rowid",
  )
    .bind(subject)
    .all<{ actor: string; data: string }>();
  return results;
};

/** All that is at rest of a tenant in D1, and all that is in KV, as one text. Tables that hold a person's data by design are left out. */
export const atRest = async (tenantId: string, leftOut: readonly string[] = []): Promise<string> => {
  const rows = Object.entries(await rowsOf(tenantId)).filter(([table]) => !leftOut.includes(table));
  return JSON.stringify([rows, await entriesInKv()]);
};

/** What KV lists, and what it gives for each. */
const entriesInKv = async (): Promise<unknown[]> => {
  const entries: unknown[] = [];
  let cursor: string | null = null;
  do {
    const page: KVNamespaceListResult<unknown> = await env.KV.list({ cursor });
    entries.push(...(await Promise.all(page.keys.map(async (key) => [key, await env.KV.get(key.name)]))));
    cursor = page.list_complete ? null : page.cursor;
  } while (cursor !== null);
  return entries;
};

/** All that there is in D1 and KV: of every tenant, of every test. */
export const everythingStored = async (): Promise<string> => {
  const { results } = await env.DB.prepare(
    "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like '_cf_%'",
  ).all<{ name: string }>();
  const tables = await env.DB.batch(results.map(({ name }) => env.DB.prepare(`select * from ${name}`)));
  return JSON.stringify([tables.map((table) => table.results), await entriesInKv()]);
};

/** Writes a row as it is. */
export const insertRow = async (table: string, row: Record<string, string | number | null>): Promise<void> => {
  const names = Object.keys(row);
  const sql = `insert into ${table} (${names.join()}) values (${names.map(() => '?').join()})`;
  await env.DB.prepare(sql)
    .bind(...Object.values(row))
    .run();
};
