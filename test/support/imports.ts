import { expect } from 'vitest';
import { customersOf } from './operator.ts';
import type { Service } from './service.ts';
import { operatorHeaders, type TestTenant } from './tenants.ts';

export type LineFaults = { line: number; errors: { path: string; code: string; message: string }[] };
type Summary = { lines: number; created: number; existing: number; refused: number };

export const NDJSON = { ...operatorHeaders, 'Content-Type': 'application/x-ndjson' };

export const linesIn = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Sends a body as it is to be imported. */
export const sendImport = (service: Service, tenant: TestTenant, rawBody: BodyInit): Promise<Response> =>
  service.call('POST', customersOf(tenant, '/import'), { headers: NDJSON, rawBody });

/** Imports a body, or customers a line each, and gives what was refused, by line, and the summary. */
export const importInto = async (service: Service, tenant: TestTenant, body: BodyInit | readonly unknown[]) => {
  const rawBody = Array.isArray(body) ? body.map((each) => `${JSON.stringify(each)}\n`).join('') : body;
  const response = await sendImport(service, tenant, rawBody as BodyInit);
  expect(response.status).toBe(200);
  const lines = linesIn(await response.text());
  const { summary } = lines.at(-1) as { summary: Summary };
  return { refused: lines.slice(0, -1) as LineFaults[], summary };
};
