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
