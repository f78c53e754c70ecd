import { describeRoute, resolver } from 'hono-openapi';
import type * as z from 'zod';
import type { RefusalCode } from '../domain/refusal.ts';
import type { WireTable } from '../middleware/problems.ts';

/** Which credentials a route takes: any one of these. */
type Security = 'app' | 'appInQuery' | 'customer' | 'customerInQuery' | 'bearer' | 'operator';

/** With a schema the body is JSON; `mediaType` is what it is otherwise. */
type Success = { description: string; schema?: z.ZodType; mediaType?: string; headers?: Record<string, string> };

type Operation = {
  summary: string;
  description?: string;
  /** A body that no validator documents, because it is not read as a whole. */
  body?: { mediaType: string; description: string; schema: z.ZodType };
  security?: readonly Security[];
  success: Partial<Record<200 | 201 | 202 | 204 | 302, Success>>;
  /** The refusals that are this route's own, beside the ones of its group and of every route. */
  refusals?: readonly RefusalCode[];
};

/** What any route can answer. */
const ALWAYS = ['malformed_request', 'rate_limited', 'storage_unavailable', 'internal_error', 'misconfigured'] as const;

/** What a route with input can answer beside. */
const WITH_INPUT = ['validation_failed', 'unsupported_media_type', 'payload_too_large'] as const;

/** Gives a route group's way of documenting its routes: refusals are listed as the group's wire table tells them. */
export const createDescriber =
  (tag: string, table: WireTable, groupRefusals: readonly RefusalCode[]) =>
  ({ summary, description, body, security = [], success, refusals = [] }: Operation) => {
    const codesByStatus = Map.groupBy(
      new Set<RefusalCode>([...ALWAYS, ...WITH_INPUT, ...groupRefusals, ...refusals]),
      (code) => table[code].status,
    );
    return describeRoute({
      tags: [tag],
      summary,
      ...(description && { description }),
      ...(body && { requestBody: requestBody(body) }),
      security: security.map((name) => SECURITY[name]),
      responses: {
        ...Object.fromEntries(Object.entries(success).map(([status, each]) => [status, successResponse(each)])),
        ...Object.fromEntries([...codesByStatus].map(([status, codes]) => [status, problemResponse(table, codes)])),
      },
    });
  };

const requestBody = ({ mediaType, description, schema }: NonNullable<Operation['body']>) => ({
  required: true,
  description,
  content: { [mediaType]: { schema: resolver(schema, { io: 'input' }) } },
});

const successResponse = ({ description, schema, mediaType, headers = {} }: Success) => ({
  description,
  headers: Object.fromEntries(
    Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' as const } }]),
  ),
  ...(schema && { content: { 'application/json': { schema: resolver(schema, { io: 'output' }) } } }),
  ...(mediaType !== undefined && { content: { [mediaType]: {} } }),
});

const problemResponse = (table: WireTable, codes: readonly RefusalCode[]) => ({
  description: codes.map((code) => `\`${code}\`: ${table[code].message}`).join('\n\n'),
  content: {
    'application/problem+json': {
      schema: {
        allOf: [
          PROBLEM,
          { type: 'object' as const, properties: { code: { type: 'string' as const, enum: [...codes] } } },
        ],
      },
    },
  },
});

const PROBLEM: { $ref: string } = { $ref: '#/components/schemas/Problem' };

const SECURITY: Record<Security, Record<string, string[]>> = {
  app: { superkey: [], supertoken: [] },
  appInQuery: { superkeyInQuery: [], supertokenInQuery: [] },
  customer: { key: [], token: [] },
  customerInQuery: { keyInQuery: [], tokenInQuery: [] },
  bearer: { bearer: [] },
  operator: { operator: [] },
};

const apiKey = (place: 'header' | 'query', name: string, description: string) => ({
  type: 'apiKey' as const,
  in: place,
  name,
  description,
});

/** What the document says beside its routes. */
export const documentation = {
  openapi: '3.1.0',
  info: {
    title: 'Gatehouse',
    version: '1',
    description: 'Customer accounts at the edge. Errors are problem documents (RFC 9457); `code` is stable.',
  },
  components: {
    securitySchemes: {
      superkey: apiKey('header', 'x-access-superkey', 'Names the app.'),
      supertoken: apiKey('header', 'x-access-supertoken', 'Proves the app.'),
      superkeyInQuery: apiKey('query', 'superkey', 'As the header. Ends up in logs: an app can be set to refuse it.'),
      supertokenInQuery: apiKey('query', 'supertoken', 'As the header. Ends up in logs.'),
      key: apiKey('header', 'x-access-key', 'Names the customer.'),
      token: apiKey('header', 'x-access-token', 'Proves the customer.'),
      keyInQuery: apiKey('query', 'key', 'As the header. Ends up in logs.'),
      tokenInQuery: apiKey('query', 'token', 'As the header. Ends up in logs.'),
      bearer: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'An access token of the tenant.',
      },
      operator: { type: 'http' as const, scheme: 'bearer', description: "The Worker's OPERATOR_TOKEN." },
    },
    schemas: {
      Problem: {
        type: 'object' as const,
        required: ['type', 'title', 'status', 'code', 'message', 'instance'],
        additionalProperties: false,
        properties: {
          type: { type: 'string' as const, format: 'uri' },
          title: { type: 'string' as const },
          status: { type: 'integer' as const },
          code: { type: 'string' as const },
          message: { type: 'string' as const },
          instance: { type: 'string' as const },
          errors: {
            type: 'array' as const,
            items: {
              type: 'object' as const,
              required: ['path', 'code', 'message'],
              additionalProperties: false,
              properties: {
                path: { type: 'string' as const },
                code: { type: 'string' as const, enum: ['required', 'unknown_member', 'invalid'] },
                message: { type: 'string' as const },
              },
            },
          },
        },
      },
    },
  },
};
