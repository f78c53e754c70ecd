import { type Context, Hono } from 'hono';
import type { ExportReport } from '../../../domain/exports.ts';
import type { ImportReport } from '../../../domain/imports.ts';
import type { AppEnv } from '../../../env.ts';
import { operatorOnly } from '../../../middleware/operator.ts';
import { jsonLines } from '../../../middleware/request-form.ts';
import { refuseHead } from '../../../middleware/response-headers.ts';
import { valid } from '../../validate.ts';
import { describe } from '../documented.ts';
import { servicesOf } from '../services.ts';
import { answerLines, failureLine, NDJSON } from './answer.ts';
import { bodyOf, readImport } from './read.ts';
import { customerLine, exportQuery } from './schema.ts';
import { viewCustomer } from './view.ts';

/** Customers on their way in or out, line by line: apart, because nothing here is ever held as a whole. */
export const transferRoutes = new Hono<AppEnv>()
  .post(
    '/import',
    operatorOnly,
    jsonLines,
    describe({
      summary: 'Import customers, any number of them',
      description:
        'Read the answer while the body is sent: who does not take it is not read from. A customer whose address (or ' +
        'phone number, or first identity, without one) a customer or its owner has already is left as it is and counted ' +
        'as existing, so that an import can be repeated after it was broken off; where it is a further user who has it, ' +
        'the line is refused. An address with `email_verified: false` may be ' +
        'somebody else’s: a `password_hash` beside it opens nothing, and when the address is proved for the first time ' +
        '(by a mailed code or link, or by a connection), the password, the `phone_number` that was imported and all ' +
        '`identities` but the one that proved it are forgotten. Import what is known to be proved with ' +
        '`email_verified: true`.',
      body: { mediaType: NDJSON, description: 'A customer a line, in at most 64 KiB.', schema: customerLine },
      success: {
        200: {
          description:
            'A line for each that is refused, `{"line": 17, "errors": [{"path", "code", "message"}]}`, and at the end ' +
            '`{"summary": {"lines", "created", "existing", "refused"}}`. Where it cannot go on, the last line is ' +
            '`{"error": {"code", "message", "lines"}}`: the first so many `lines` are done.',
          mediaType: NDJSON,
        },
      },
      refusals: ['tenant_not_found'],
    }),
    async (c) => {
      const { imports } = await servicesOf(c);
      const body = bodyOf(c.req.raw);
      return answerLines(c, reportLines(c, await imports.begin(readImport(body)), body));
    },
  )

  .get(
    '/export',
    operatorOnly,
    refuseHead,
    describe({
      summary: 'Export all customers',
      description:
        'With `include=password_hashes` what people sign in with goes along. An answer has 30,000 customers at ' +
        'most, and fewer where they have many users. Where that is not all, its last line says where to go on, as the ' +
        '`cursor` of another request; an import passes over that line. Every request is audited.',
      success: {
        200: {
          description:
            'A customer a line, oldest first, as an import takes it. The last line is `{"next": "cus_…"}` where there ' +
            'may be more, and `{"error": {"code", "message"}}` where it cannot go on.',
          mediaType: NDJSON,
        },
      },
      refusals: ['tenant_not_found'],
    }),
    valid('query', exportQuery),
    async (c) => {
      const { include, cursor = null } = c.req.valid('query');
      const secrets = { passwordHashes: include === 'password_hashes' };
      const { exports } = await servicesOf(c);
      return answerLines(c, customerLines(c, await exports.begin(cursor, secrets), secrets));
    },
  );

const reportLines = async function* (
  c: Context<AppEnv>,
  reports: AsyncGenerator<ImportReport, void>,
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<readonly unknown[], void> {
  let done = 0;
  try {
    for await (const report of reports) {
      if (report.kind === 'stored') {
        done = report.line;
        // Before the next are read, so that no more than a batch waits.
        await c.get('afterwork').workOff();
      }
      yield viewReport(report);
    }
  } catch (error) {
    yield [failureLine(c, error, { lines: done })];
    // The rest is read for nothing: a sender may read the answer only when it has sent all, and a local Worker does not
    // survive a body that is cut off.
    await body.pipeTo(new WritableStream()).catch(() => {});
  } finally {
    await body.cancel().catch(() => {});
  }
};

const viewReport = (report: ImportReport): readonly unknown[] => {
  switch (report.kind) {
    case 'stored':
      return [];
    case 'refused':
      return [{ line: report.line, errors: report.faults }];
    case 'ended': {
      const { kind: _, ...summary } = report;
      return [{ summary }];
    }
  }
};

const customerLines = async function* (
  c: Context<AppEnv>,
  reports: AsyncGenerator<ExportReport, void>,
  secrets: { passwordHashes: boolean },
): AsyncGenerator<readonly unknown[], void> {
  try {
    for await (const report of reports) {
      if (report.kind === 'rest') yield [{ next: report.after }];
      else yield report.customers.map((customer) => viewCustomer(customer, secrets));
    }
  } catch (error) {
    yield [failureLine(c, error)];
  }
};
