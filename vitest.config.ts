import { availableParallelism } from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

// Read when the pool is loaded: the Worker then trusts the TLS of the tests' mail servers.
process.env.NODE_EXTRA_CA_CERTS = path.join(import.meta.dirname, 'test/peers/tls/ca.pem');
const { cloudflareTest, readD1Migrations } = await import('@cloudflare/vitest-pool-workers');

/** Half of the tests each, side by side: one workerd has one thread. */
const inWorkerd = (name: string, files: { include: string[]; exclude: string[] }) => ({
  plugins: [
    cloudflareTest(async ({ inject }) => ({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        // All tests share the operator's token and so its limit.
        ratelimits: { KEY_RATE_LIMIT: { namespace_id: '1001', simple: { limit: 1_000_000, period: 60 } } },
        bindings: {
          MASTER_KEY: 'dGVzdHMgb25seTogdGhpcnR5LXR3byBieXRlcyBrZXk=',
          OPERATOR_TOKEN: 'tests-only-operator-token-0123456789',
          MAIL_URL: inject('mailUrls').plain,
          TEST_MAIL_URLS: inject('mailUrls'),
          SMS_URL: inject('textUrls').messages,
          TEST_TEXT_URLS: inject('textUrls'),
          TEST_IDENTITY_PROVIDERS: inject('identityProviders'),
          TEST_MIGRATIONS: await readD1Migrations(path.join(import.meta.dirname, 'migrations')),
        },
      },
    })),
  ],
  test: {
    name,
    ...files,
    setupFiles: ['./test/setup.ts'],
    globalSetup: ['./test/peers/index.ts'],
    // One isolate and one store for all files: a test keeps apart by making its own tenant.
    isolate: false,
    // Of races that a machine under load takes its time for: nothing here waits for long.
    testTimeout: 20_000,
    deps: {
      optimizer: {
        ssr: {
          enabled: true,
          // All of Hono's modules or none: they know each other by symbols, which a second copy would not have.
          include: [
            'hono',
            'hono/accepts',
            'hono/body-limit',
            'hono/combine',
            'hono/cookie',
            'hono/cors',
            'hono/factory',
            'hono/html',
            'hono/jsx',
            'hono/jsx/jsx-dev-runtime',
            'hono/jsx/jsx-runtime',
            'hono/method-not-allowed',
            'hono/request-id',
            'hono/route',
            'hono/secure-headers',
            '@hono/zod-validator',
            'hono-openapi',
            'zod',
            'jose',
            'oauth4webapi',
            'drizzle-orm',
            'drizzle-orm/d1',
            'drizzle-orm/sqlite-core',
            'libphonenumber-js/min',
            '@cfworker/json-schema',
          ],
        },
      },
    },
  },
});

const ROUTES = ['test/routes/{account,login,pages}/**/*.test.ts'];

const endToEnd = {
  test: {
    name: 'e2e',
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['./test/e2e/secrets.ts'],
  },
};

export default defineConfig({
  test: {
    silent: 'passed-only',
    // All of the machine, and one more, as most of the time something waits; each has a workerd of its own.
    maxWorkers: Math.min(6, availableParallelism() + 1),
    projects: [
      inWorkerd('people', { include: ROUTES, exclude: [] }),
      inWorkerd('workerd', { include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', ...ROUTES] }),
      endToEnd,
    ],
  },
});
