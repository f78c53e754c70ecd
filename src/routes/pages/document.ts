import { describeRoute } from 'hono-openapi';
import type { RefusalCode } from '../../domain/refusal.ts';
import { commonWire } from '../../middleware/problems.ts';

/** What every page can answer. */
const ALWAYS = [
  'malformed_request',
  'validation_failed',
  'forbidden_origin',
  'tenant_not_found',
  'not_found',
  'payload_too_large',
  'unsupported_media_type',
  'rate_limited',
  'internal_error',
  'misconfigured',
  'storage_unavailable',
] as const;

const PAGE = { 'text/html': { schema: { type: 'string' as const } } };

/** Told as everywhere, since there is no one whose page it could be. */
const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const WITHOUT_PAGE: ReadonlySet<RefusalCode> = new Set(['tenant_not_found', 'misconfigured']);

/** Documents a page: for people, and therefore without any data for programs. `redirect`: where it leads, if it does. */
export const describePage = (summary: string, refusals: readonly RefusalCode[] = [], redirect?: string) => {
  const codesByStatus = Map.groupBy([...ALWAYS, ...refusals], (code) => commonWire[code].status);
  return describeRoute({
    tags: ['pages'],
    summary,
    responses: {
      200: { description: 'An HTML page', content: PAGE },
      ...(redirect !== undefined && { 303: { description: redirect } }),
      ...Object.fromEntries(
        [...codesByStatus].map(([status, codes]) => [
          status,
          {
            description: codes.map((code) => `\`${code}\`: ${commonWire[code].message}`).join('\n\n'),
            content: { ...PAGE, ...(codes.some((code) => WITHOUT_PAGE.has(code)) && PROBLEM) },
          },
        ]),
      ),
    },
  });
};
