import { env } from 'cloudflare:workers';
import { type Schema, Validator } from '@cfworker/json-schema';
import { expect } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createPlatformOf } from '../../src/platform.ts';

type Operation = {
  security?: Record<string, string[]>[];
  requestBody?: { required?: boolean; content: Record<string, unknown> };
  responses: Record<string, { content?: Record<string, { schema: Schema }>; headers?: Record<string, unknown> }>;
};

type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

let known: Document | null = null;

/** The OpenAPI document that the Worker serves. */
export const readDocument = async (): Promise<Document> => {
  const app = createApp(createPlatformOf({ now: Date.now, fetch }));
  known ??= await (await app.request('/openapi.json', {}, env)).json<Document>();
  return known;
};

/** Fails unless the answer is one that the document tells of: status, type and every member. */
export const checkAgainstDocument = async (method: string, url: string, response: Response): Promise<void> => {
  const document = await readDocument();
  const operation = findOperation(document, method, new URL(url).pathname);
  const type = response.headers.get('Content-Type')?.split(';')[0] ?? null;
  const where = `${method} ${new URL(url).pathname} → ${response.status}`;
  const isBodiless = method === 'HEAD' || method === 'OPTIONS' || response.status === 405;
  if (!operation || isBodiless) return;

  const documented = operation.responses[response.status];
  expect(documented, `${where} is not documented`).toBeDefined();
  const content = documented?.content ?? {};
  if (type === null || type === 'text/html') return;
  expect(Object.keys(content), `the type of ${where}`).toContain(type);
  const schema = content[type]?.schema;
  if (!schema) return;
  const body: unknown = await response.clone().json();
  const validator = new Validator({ ...schema, components: document.components }, '2020-12', false);
  const { valid, errors } = validator.validate(body);
  expect(valid, `${where}: ${JSON.stringify(errors)} in ${JSON.stringify(body)}`).toBe(true);
};

/** The operation of the document that a call is of. A literal path is preferred to one with parameters. */
const findOperation = (document: Document, method: string, pathname: string): Operation | undefined => {
  const path = pathname.length > 1 ? pathname.replace(/\/$/, '') : pathname;
  const templates = Object.keys(document.paths)
    .filter((template) => new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path))
    .sort((a, b) => (a.match(/\{/g)?.length ?? 0) - (b.match(/\{/g)?.length ?? 0));
  const [template] = templates;
  return template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
};
