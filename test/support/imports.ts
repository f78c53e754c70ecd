import { expect } from 'vitest';
import { callAsOperator, customersOf } from './operator.ts';
import type { Service } from './service.ts';
import { operatorHeaders, type TestTenant } from './tenants.ts';

type Fault = { path: string; code: string; message: string };

/** A line of the answer to an import: any of these. */
export type ImportAnswer = {
  line?: number;
  errors?: Fault[];
  summary?: { lines: number; created: number; existing: number; refused: number };
  error?: { code: string; message: string; lines: number };
};

/** A line of an export, as far as tests look into it. */
export type ExportedLine = {
  [member: string]: unknown;
  id: string;
  email: string | null;
  password_hash?: string | null;
};

export const NDJSON = 'application/x-ndjson';

/** A customer a line. */
export const asLines = (customers: readonly unknown[]): string =>
  customers.map((each) => `${JSON.stringify(each)}\n`).join('');

/** The lines of an answer, which all are JSON and end as lines do. */
export const linesOf = async <Line>(response: Response): Promise<Line[]> => {
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toBe(NDJSON);
  const [last, ...lines] = textOf(await response.arrayBuffer())
    .split('\n')
    .reverse();
  expect(last).toBe('');
  return lines.reverse().map((line) => JSON.parse(line));
};

const textOf = (bytes: ArrayBuffer): string => new TextDecoder().decode(bytes);

/** A body that is written as it is read. */
export const openBody = () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  return { body: readable, write: (text: string) => writer.write(new TextEncoder().encode(text)), writer };
};

/** Sends a body as one of customers to import. */
export const sendImport = (
  service: Service,
  { slug }: Pick<TestTenant, 'slug'>,
  rawBody: BodyInit,
): Promise<Response> =>
  service.call('POST', customersOf({ slug }, '/import'), {
    headers: { ...operatorHeaders, 'Content-Type': NDJSON },
    rawBody,
  });

/** Imports a body, or customers, to the end: which lines were refused for what, e.g. `4: email`, and the summary. */
export const importInto = async (service: Service, tenant: TestTenant, body: BodyInit | readonly unknown[]) => {
  const sent = await sendImport(service, tenant, isList(body) ? asLines(body) : body);
  const lines = await linesOf<ImportAnswer>(sent);
  const refused = lines.slice(0, -1);
  return {
    refused: refused.flatMap(({ line, errors = [] }) => errors.map(({ path }) => `${line}: ${path}`)),
    messages: refused.flatMap(({ errors = [] }) => errors.map(({ message }) => message)),
    ...lines.at(-1),
  };
};

const isList = (body: BodyInit | readonly unknown[]): body is readonly unknown[] => Array.isArray(body);

/** Exports all customers of a tenant. */
export const exportFrom = async (service: Service, { slug }: TestTenant, query = ''): Promise<ExportedLine[]> =>
  linesOf<ExportedLine>(await callAsOperator(service, 'GET', customersOf({ slug }, `/export${query}`)));

/** A summary of so many lines, none of them empty. */
export const summaryOf = ({ created = 0, existing = 0, refused = 0 }) => ({
  ...{ created, existing, refused },
  lines: created + existing + refused,
});
