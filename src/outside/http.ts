/**
 * The guard around calls to URLs that an operator or a provider's metadata names (server-side request forgery). It judges
 * names, not what they resolve to: a Worker cannot see the address, and Cloudflare's network leads to public ones alone.
 */

/** Why a call was not made, or its answer not taken. `outage`: the server says that it is out of order. */
export type OutboundReason = 'url' | 'redirect' | 'timeout' | 'too_large' | 'network' | 'outage';

/** A call to another server that was not made or came to nothing. The message never carries what that server said. */
export class OutboundRefused extends Error {
  override readonly name = 'OutboundRefused';
  readonly reason: OutboundReason;

  constructor(reason: OutboundReason) {
    super(`Outbound call refused: ${reason}`);
    this.reason = reason;
  }
}

const MAX_BODY_BYTES = 256 * 1024;

const MAX_URL_LENGTH = 2048;

/**
 * Names of at least two labels, the last of them no number. Address literals are out altogether: a public server has a
 * name for its certificate, and a list of private ranges would have to be complete. The URL parser has by then brought
 * every spelling of an IPv4 address (`2130706433`, `0x7f.1`, `127.1`, full-width digits) into its dotted form.
 */
const PUBLIC_NAME = /^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$/;

/** Names that never lead out to the public (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`). */
const PRIVATE_NAME = /\.(localhost|localdomain|local|internal|arpa)$/;

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether the Worker may be told to call a URL: https and a public name, or on a developer's machine also loopback and http. */
export const isCallableUrl = (url: string, allowsLoopback: boolean): boolean => {
  if (url.length > MAX_URL_LENGTH || !URL.canParse(url)) return false;
  const { protocol, username, password, hostname } = new URL(url);
  if (username !== '' || password !== '') return false;
  // `localhost.` is localhost.
  const host = hostname.replace(/\.$/, '');
  if (LOOPBACK.test(host)) return allowsLoopback && (protocol === 'https:' || protocol === 'http:');
  return protocol === 'https:' && PUBLIC_NAME.test(host) && !PRIVATE_NAME.test(host);
};

/** The part of fetch that calling a provider takes. It throws an OutboundRefused and nothing else. */
export type GuardedFetch = (
  url: string,
  init?: { method?: string; headers?: HeadersInit; body?: BodyInit | null | undefined },
) => Promise<Response>;

type Dependencies = { fetch: typeof globalThis.fetch; allowsLoopback: boolean; deadline: AbortSignal };

/**
 * A fetch that calls callable URLs alone, follows no redirect, and hands over an answer only once all of it is there,
 * at most 256 KiB. All its calls are over when the deadline is aborted.
 */
export const createGuardedFetch = (dependencies: Dependencies): GuardedFetch => guard(dependencies, takeWhole);

/** As `createGuardedFetch`, where only the status and headers matter: of no body is anything read, and a redirect is an answer. */
export const createGuardedCall = (dependencies: Dependencies): GuardedFetch => guard(dependencies, takeHead);

type Take = (answer: Promise<Response>, deadline: AbortSignal) => Promise<Response>;

const guard = ({ fetch, allowsLoopback, deadline }: Dependencies, take: Take): GuardedFetch => {
  // Raced, because a body that has begun does not always heed the signal.
  const isOver = async (): Promise<never> => {
    await new Promise((resolve) => {
      if (deadline.aborted) resolve(null);
      deadline.addEventListener('abort', resolve, { once: true });
    });
    throw new OutboundRefused('timeout');
  };
  return async (url, { method = 'GET', headers = {}, body = null } = {}) => {
    if (!isCallableUrl(url, allowsLoopback)) throw new OutboundRefused('url');
    try {
      const answer = fetch(url, { method, headers, body, redirect: 'manual', signal: deadline });
      return await Promise.race([isOver(), take(answer, deadline)]);
    } catch (error) {
      if (error instanceof OutboundRefused) throw error;
      throw new OutboundRefused(deadline.aborted ? 'timeout' : 'network');
    }
  };
};

const takeHead: Take = async (answer) => {
  const { status, headers, body } = await answer;
  void body?.cancel().catch(() => undefined);
  return new Response(null, { status, headers });
};

/** The answer with its whole body, or an OutboundRefused, after which nothing more of it is read. */
const takeWhole: Take = async (answer, deadline) => {
  const { status, headers, body } = await answer;
  if (status >= 300 && status < 400) {
    await body?.cancel();
    throw new OutboundRefused('redirect');
  }
  const kept = new Headers(headers);
  // They tell of the body on its way, not of the one that is handed over.
  kept.delete('content-encoding');
  kept.delete('content-length');
  return new Response(body && (await readBounded(body, deadline)), { status, headers: kept });
};

const readBounded = async (body: ReadableStream<Uint8Array>, deadline: AbortSignal): Promise<Blob> => {
  const reader = body.getReader();
  deadline.addEventListener('abort', () => void reader.cancel().catch(() => undefined), { once: true });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.byteLength;
    if (size > MAX_BODY_BYTES) {
      await reader.cancel();
      throw new OutboundRefused('too_large');
    }
    chunks.push(part.value);
  }
  return new Blob(chunks);
};
