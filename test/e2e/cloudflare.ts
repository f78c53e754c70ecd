import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { portOf } from './service.ts';

type Json = Record<string, unknown>;

type Call = { method: string; path: string; query: URLSearchParams; read: () => Json; form: () => Promise<FormData> };

type Answer = { status?: number; result?: unknown; errors?: { code: number; message: string }[] };

type Queue = { queue_id: string; queue_name: string; consumers: Json[]; producers: Json[] };

type Worker = { versions: { id: string; bindings: Map<string, Json> }[]; routes: unknown; deployed: string | null };

const refusal = (status: number, code: number, message: string): Answer => ({ status, errors: [{ code, message }] });

const newId = () => randomBytes(16).toString('hex');

/**
 * An account with one zone at Cloudflare, as far as a deployment asks for it: what is made is there at the next call, a
 * version inherits from the one before it, and the databases are real ones.
 */
export const startCloudflare = async (accountId: string, zoneName: string) => {
  const taken: string[] = [];
  const unknown: string[] = [];
  const forbidden = new Set<string>();
  const databases = new Map<string, { details: Json; sqlite: DatabaseSync }>();
  const namespaces: Json[] = [];
  const queues: Queue[] = [];
  const workers = new Map<string, Worker>();
  const zone = { id: newId(), name: zoneName, account: { id: accountId } };
  const records: Json[] = [];
  const hosts: Json[] = [];

  const createDatabase = ({ read }: Call): Answer => {
    const { name, jurisdiction = null } = read();
    const details = { uuid: randomUUID(), name, jurisdiction, read_replication: { mode: 'disabled' } };
    databases.set(details.uuid, { details, sqlite: new DatabaseSync(':memory:') });
    return { result: details };
  };

  const query = ({ read }: Call, id: string): Answer => {
    const { sql } = read();
    const sqlite = databases.get(id)?.sqlite;
    if (!sqlite || typeof sql !== 'string') return refusal(404, 7404, 'no such database');
    try {
      if (/^\s*select/i.test(sql)) return { result: [{ results: sqlite.prepare(sql).all(), success: true, meta: {} }] };
      // The statements of a call are one transaction.
      sqlite.exec(`begin; ${sql}; commit`);
      return { result: [{ results: [], success: true, meta: {} }] };
    } catch (error) {
      if (sqlite.isTransaction) sqlite.exec('rollback');
      return refusal(400, 7500, String(error));
    }
  };

  const upload = async (name: string, { form }: Call): Promise<Answer> => {
    const worker = workers.get(name) ?? { versions: [], routes: [], deployed: null };
    const before = worker.versions.at(-1)?.bindings ?? new Map<string, Json>();
    const metadata: { bindings: Json[]; keep_bindings?: string[] } = JSON.parse(String((await form()).get('metadata')));
    const bindings = new Map([...before].filter(([, { type }]) => metadata.keep_bindings?.includes(String(type))));
    for (const binding of metadata.bindings) {
      const bindingName = String(binding.name);
      const inherited = before.get(bindingName);
      if (binding.type === 'inherit' && !inherited) {
        return refusal(400, 10056, `inherit binding '${bindingName}' is invalid`);
      }
      bindings.set(bindingName, binding.type === 'inherit' && inherited ? inherited : binding);
    }
    const id = randomUUID();
    worker.versions.push({ id, bindings });
    workers.set(name, worker);
    return {
      result: { id, deployment_id: id, number: worker.versions.length, resources: { script: {} }, metadata: {} },
    };
  };

  const deployFirst = async (name: string, call: Call): Promise<Answer> => {
    const answer = await upload(name, call);
    const worker = workers.get(name);
    if (worker) worker.deployed = worker.versions.at(-1)?.id ?? null;
    return answer;
  };

  const consume = ({ read }: Call, id: string): Answer => {
    const queue = queues.find(({ queue_id: each }) => each === id);
    const consumer = { consumer_id: newId(), type: 'worker', ...read() };
    const script = 'script_name' in consumer ? consumer.script_name : null;
    if (queue) queue.consumers = [{ ...consumer, service: script, script }];
    return { result: consumer };
  };

  const secretsOf = (name: string): Answer => {
    const worker = workers.get(name);
    if (!worker) return refusal(404, 10007, 'This Worker does not exist on your account.');
    const bindings = [...(worker.versions.at(-1)?.bindings ?? [])];
    return { result: bindings.flatMap(([each, { type }]) => (type === 'secret_text' ? [{ name: each, type }] : [])) };
  };

  const withWorker = (name: string, change: (worker: Worker) => unknown): Answer => {
    const worker = workers.get(name);
    return worker
      ? { result: change(worker) ?? {} }
      : refusal(404, 10007, 'This Worker does not exist on your account.');
  };

  const account = `/accounts/${accountId}`;
  const script = `${account}/workers/scripts/([^/]+)`;
  const handlers: Record<string, (call: Call, ...parts: string[]) => Answer | Promise<Answer>> = {
    'GET /accounts': () => ({ result: [{ id: accountId, name: 'Tests' }] }),

    [`GET ${account}/d1/database`]: ({ query: wanted }) => ({
      result: [...databases.values()].map(({ details }) => details).filter(({ name }) => name === wanted.get('name')),
    }),
    [`POST ${account}/d1/database`]: createDatabase,
    [`GET ${account}/d1/database/([^/]+)`]: (_, id) => ({ result: databases.get(id)?.details }),
    [`PUT ${account}/d1/database/([^/]+)`]: ({ read }, id) => ({
      result: Object.assign(databases.get(id)?.details ?? {}, read()),
    }),
    [`POST ${account}/d1/database/([^/]+)/query`]: query,
    [`GET ${account}/d1/database/([^/]+)/time_travel/bookmark`]: () => ({ result: { bookmark: '00000085-0000024c' } }),

    [`GET ${account}/storage/kv/namespaces`]: () => ({ result: namespaces }),
    [`POST ${account}/storage/kv/namespaces`]: ({ read }) => {
      namespaces.push({ id: newId(), ...read() });
      return { result: namespaces.at(-1) };
    },

    [`GET ${account}/queues`]: ({ query: wanted }) => ({
      result: queues.filter(({ queue_name: name }) => wanted.getAll('name').includes(name)),
    }),
    [`POST ${account}/queues`]: ({ read }) => {
      queues.push({ queue_id: newId(), queue_name: String(read().queue_name), consumers: [], producers: [] });
      return { result: queues.at(-1) };
    },
    [`GET ${account}/queues/([^/]+)/consumers`]: (_, id) => ({
      result: queues.find(({ queue_id: each }) => each === id)?.consumers,
    }),
    [`POST ${account}/queues/([^/]+)/consumers`]: consume,
    [`PUT ${account}/queues/([^/]+)/consumers/([^/]+)`]: consume,

    [`GET ${account}/workers/services/([^/]+)`]: (_, name) =>
      workers.has(name)
        ? { result: { default_environment: { script: { tag: 'tag', tags: [], last_deployed_from: 'wrangler' } } } }
        : refusal(404, 10090, 'This Worker does not exist on your account.'),
    [`GET ${script}/secrets`]: (_, name) => secretsOf(name),
    [`GET ${script}/settings`]: (_, name) => withWorker(name, () => ({ bindings: [] })),
    [`PUT ${script}`]: (call, name) => deployFirst(name, call),
    [`POST ${script}/versions`]: (call, name) => upload(name, call),
    [`GET ${script}/deployments`]: (_, name) =>
      withWorker(name, ({ deployed }) => ({
        deployments: [{ versions: [{ version_id: deployed, percentage: 100 }] }],
      })),
    [`POST ${script}/deployments`]: ({ read }, name) =>
      withWorker(name, (worker) => {
        const { versions } = read();
        worker.deployed = Array.isArray(versions) ? String(versions[0].version_id) : null;
      }),
    [`PATCH ${script}/script-settings`]: ({ read }) => ({ result: read() }),
    [`GET ${account}/workers/workers/([^/]+)`]: (_, name) =>
      withWorker(name, () => ({ name, subdomain: { enabled: false, previews_enabled: false } })),
    [`POST ${script}/subdomain`]: ({ read }) => ({ result: read() }),
    [`PUT ${script}/schedules`]: () => ({ result: {} }),
    [`PUT ${script}/routes`]: ({ read }, name) =>
      withWorker(name, (worker) => {
        worker.routes = read();
      }),
    [`POST ${script}/domains/changeset`]: () => ({
      result: { added: [], removed: [], updated: [], conflicting: [] },
    }),
    [`PUT ${script}/domains/records`]: ({ read }, name) => {
      const { origins } = read();
      for (const { hostname } of Array.isArray(origins) ? origins : []) {
        if (!hosts.some((each) => each.hostname === hostname)) hosts.push({ id: newId(), hostname, service: name });
      }
      return { result: hosts };
    },
    [`POST ${script}/assets-upload-session`]: () => ({ result: { jwt: 'assets', buckets: [] } }),
    [`GET ${account}/workers/domains`]: ({ query: wanted }) => ({
      result: hosts.filter(({ hostname }) => hostname === wanted.get('hostname')),
    }),

    'GET /zones': ({ query: wanted }) => ({ result: wanted.get('name') === zoneName ? [zone] : [] }),
    [`GET /zones/${zone.id}/workers/routes`]: () => ({ result: [] }),
    [`GET /zones/${zone.id}/dns_records`]: ({ query: wanted }) => {
      const [name, ending] = [wanted.get('name'), wanted.get('name.endswith')];
      const [page, perPage] = [Number(wanted.get('page') ?? 1), Number(wanted.get('per_page') ?? 100)];
      return {
        result: records
          .filter((each) => each.name === name || (ending && String(each.name).endsWith(ending)))
          .slice((page - 1) * perPage, page * perPage),
      };
    },
    [`POST /zones/${zone.id}/dns_records`]: ({ read }) => {
      records.push(read());
      return { result: records.at(-1) };
    },
  };
  const patterns = Object.entries(handlers).map(([route, handle]) => ({ pattern: new RegExp(`^${route}$`), handle }));

  const answer = async (call: Call): Promise<Answer> => {
    const route = `${call.method} ${call.path}`;
    for (const { pattern, handle } of patterns) {
      const found = pattern.exec(route);
      if (found) return handle(call, ...found.slice(1));
    }
    unknown.push(route);
    return refusal(404, 7003, 'no such route');
  };

  const server = createServer(async (request, response) => {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const [body, method] = [await buffer(request), request.method ?? ''];
    const type = request.headers['content-type'] ?? '';
    const route = `${method} ${path}`;
    taken.push(route);
    const isForbidden = [...forbidden].some((each) => route.startsWith(each));
    const {
      status = 200,
      result,
      errors = [],
    } = isForbidden
      ? refusal(403, 10000, 'Authentication error')
      : await answer({
          method,
          path,
          query: searchParams,
          read: () => JSON.parse(body.toString()),
          form: () => new Response(new Uint8Array(body), { headers: { 'Content-Type': type } }).formData(),
        });
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ success: status === 200, result: result ?? null, errors, messages: [] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    /** Every call, in the order of its coming. */
    taken,
    /** Calls that nothing here is made for. */
    unknown,
    /** The calls that the token is not for, by how they begin. */
    forbidden,
    account: { databases, namespaces, queues, workers, records, hosts },
    zone,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
