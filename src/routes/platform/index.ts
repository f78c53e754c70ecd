import { Hono } from 'hono';
import { openAPIRouteHandler } from 'hono-openapi';
import * as z from 'zod';
import { Refusal } from '../../domain/refusal.ts';
import type { AppEnv } from '../../env.ts';
import { isOperator } from '../../middleware/operator.ts';
import { answerWith, commonWire } from '../../middleware/problems.ts';
import { createDescriber, documentation } from '../openapi.ts';
import { valid } from '../validate.ts';
import { DOCS_POLICY, docsPage } from './docs.ts';
import { depth, health } from './schema.ts';

const describe = createDescriber('platform', commonWire, []);

/** The platform surface (contract 6). The document is of all routes of `whole`. */
export const platformRoutes = (whole: Hono<AppEnv>) =>
  new Hono<AppEnv>()
    .onError(answerWith(commonWire))

    .get(
      '/healthz',
      describe({
        summary: 'Tell that the service is up',
        description: "With `?deep=1` and the operator's token it also asks D1 and KV.",
        success: { 200: { description: 'It is', schema: health } },
        refusals: ['unauthenticated'],
      }),
      valid('query', depth),
      async (c) => {
        const { platform } = c.var;
        if (c.req.valid('query').deep) {
          if (!(await isOperator(platform, c.req.header('Authorization')))) throw new Refusal('unauthenticated');
          await platform.probeStorage();
        }
        return c.json({ status: 'ok' });
      },
    )

    .get(
      '/openapi.json',
      describe({
        summary: 'This document',
        success: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) } },
      }),
      async (c, next) => {
        c.header('Cache-Control', 'public, max-age=300');
        return next();
      },
      openAPIRouteHandler(whole, { documentation, excludeStaticFile: false, defaultValidationErrorResponse: false }),
    )

    .get(
      '/docs',
      describe({ summary: 'The reference, for people', success: { 200: { description: 'An HTML page' } } }),
      (c) =>
        c.html(docsPage(), 200, { 'Cache-Control': 'public, max-age=300', 'Content-Security-Policy': DOCS_POLICY }),
    );
