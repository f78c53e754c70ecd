import * as z from 'zod';
import { Interruption, type Problem, problemDocument, ServiceRefusal, Unreachable, WrongUsage } from './failures.ts';
import type { Target } from './target.ts';

export const jsonObject = z.record(z.string(), z.unknown());

const page = z.object({ items: z.array(jsonObject), next: z.string().nullable() });

/** A JSON object of the service. */
export type Item = z.infer<typeof jsonObject>;

export type Page = z.infer<typeof page>;

export type Call = {
  method?: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Below /operator/v1, one entry a segment. */
  path: readonly string[];
  query?: Readonly<Record<string, string | number | undefined>>;
  json?: unknown;
  ndjson?: Uint8Array<ArrayBuffer>;
};

/** The operator surface. Everything refuses with `ServiceRefusal`, and with `Unreachable` when no whole answer came. */
export interface Client {
  /** For what is answered with nothing. */
  send(call: Call): Promise<void>;
  ask(call: Call): Promise<Item>;
  list(call: Call): Promise<Page>;
  /** The bytes of the answer, as they come. */
  stream(call: Call): AsyncGenerator<Uint8Array>;
}

const PATIENCE_MILLISECONDS = 60_000;

export const createClient = ({ origin, token }: Target, interruption: AbortSignal): Client => {
  const fetchAnswer = async (
    { method = 'GET', path, query = {}, json, ndjson }: Call,
    signal: AbortSignal,
  ): Promise<Response> => {
    const url = new URL(`/operator/v1/${path.map(encodeSegment).join('/')}`, origin);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const [type, body] = ndjson ? ['application/x-ndjson', ndjson] : ['application/json', JSON.stringify(json)];
    const response = await fetch(url, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': type }) },
      ...(body !== undefined && { body }),
      // Whoever answers elsewhere is not who was asked.
      redirect: 'error',
      signal,
    });
    if (response.ok) return response;
    throw new ServiceRefusal(await readProblem(response), readRetryAfter(response));
  };

  /** Tells what went wrong on the way from what the service said. */
  const explain = (error: unknown): Error => {
    if (error instanceof ServiceRefusal || error instanceof WrongUsage) return error;
    if (interruption.aborted) return new Interruption();
    return new Unreachable(`${origin} ${faultOf(error)}`);
  };

  const receive = async <Answer>(call: Call, read: (response: Response) => Promise<Answer>): Promise<Answer> => {
    try {
      const signal = AbortSignal.any([interruption, AbortSignal.timeout(PATIENCE_MILLISECONDS)]);
      return await read(await fetchAnswer(call, signal));
    } catch (error) {
      throw explain(error);
    }
  };

  return {
    send: (call) => receive(call, async (response) => void (await response.arrayBuffer())),
    ask: (call) => receive(call, async (response) => jsonObject.parse(await response.json())),
    list: (call) => receive(call, async (response) => page.parse(await response.json())),

    stream: async function* (call) {
      try {
        const { body } = await fetchAnswer(call, interruption);
        if (body !== null) yield* body;
      } catch (error) {
        throw explain(error);
      }
    },
  };
};

/** Refuses what a URL would take for a way up, or for nothing: it would name something else. */
const encodeSegment = (segment: string): string => {
  if (/^\.{0,2}$/.test(segment)) throw new WrongUsage(`"${segment}" is no name.`);
  return encodeURIComponent(segment);
};

/** What the service says, or what can be said of an answer that is not the service's own. */
const readProblem = async (response: Response): Promise<Problem> => {
  const { status } = response;
  const body: unknown = await response.json().catch(() => null);
  const problem = problemDocument.safeParse(body);
  const code = `http_${status}`;
  return problem.data ?? { status, code, message: `HTTP ${status}, and nothing that Gatehouse would say.` };
};

const readRetryAfter = (response: Response): number | null => {
  const header = response.headers.get('Retry-After') ?? '';
  return /^\d+$/.test(header) ? Number(header) : null;
};

const faultOf = (error: unknown): string => {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return 'answers something else than Gatehouse does.';
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'did not answer in time.';
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return `cannot be reached: ${error instanceof Error ? error.message : String(error)}`;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return code === 'ECONNREFUSED' ? 'is not there (ECONNREFUSED).' : `cannot be reached (${code}).`;
};
