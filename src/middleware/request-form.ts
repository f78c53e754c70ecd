import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { parseJson } from '../domain/json.ts';
import { DEEPEST_BODY, isDeeperThan } from '../domain/nesting.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../env.ts';

const LARGEST_BODY = 64 * 1024;

/** Refuses a path that cannot be percent-decoded, and bodies over 64 KiB, before anything reads them. */
export const requestSize = bodyLimit({
  maxSize: LARGEST_BODY,
  onError: () => {
    throw new Refusal('payload_too_large');
  },
});

export const readablePath = createMiddleware<AppEnv>(async (c, next) => {
  try {
    decodeURIComponent(new URL(c.req.url).pathname);
  } catch {
    throw new Refusal('malformed_request');
  }
  await next();
});

/**
 * Refuses bodies that are no JSON object in UTF-8 (contract 0, requests), and those that nest more than any need: they
 * could not be walked. A request without a body passes.
 */
export const jsonBody = createMiddleware<AppEnv>(async (c, next) => {
  const type = c.req.header('Content-Type');
  // Many clients name a type on every request, whether it has a body or not.
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
  const bytes = c.req.raw.body ? await c.req.arrayBuffer() : new ArrayBuffer(0);
  if (type === undefined ? bytes.byteLength > 0 : !isOfType(type, 'application/json'))
    throw new Refusal('unsupported_media_type');
  if (type !== undefined && !isReadable(parse(bytes))) throw new Refusal('malformed_request');
  await next();
});

/** As `jsonBody`, for what the forms of our pages post: URL-encoded fields in UTF-8. */
export const formBody = createMiddleware<AppEnv>(async (c, next) => {
  if (c.req.method !== 'POST') return next();
  const type = c.req.header('Content-Type');
  const bytes = await c.req.arrayBuffer();
  const isRefused = type === undefined ? bytes.byteLength > 0 : !isOfType(type, 'application/x-www-form-urlencoded');
  if (isRefused) throw new Refusal('unsupported_media_type');
  await next();
});

/** Refuses what is not sent as lines of JSON. The body is left to be read as it comes: it has no largest size. */
export const jsonLines = createMiddleware<AppEnv>(async (c, next) => {
  if (!isOfType(c.req.header('Content-Type') ?? '', 'application/x-ndjson'))
    throw new Refusal('unsupported_media_type');
  await next();
});

const isOfType = (type: string, wanted: string): boolean => {
  const [essence, ...parameters] = type.split(';').map((part) => part.trim().toLowerCase());
  return essence === wanted && parameters.every((each) => /^charset="?utf-8"?$/.test(each));
};

const parse = (bytes: ArrayBuffer): unknown => {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    return undefined;
  }
};

const isReadable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isDeeperThan(value, DEEPEST_BODY);
