import path from 'node:path';
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    cloudflareTest(async ({ inject }) => ({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        bindings: {
          MASTER_KEY: 'dGVzdHMgb25seTogdGhpcnR5LXR3byBieXRlcyBrZXk=',
          OPERATOR_TOKEN: 'tests-only-operator-token-0123456789',
          MAIL_URL: inject('mailUrl'),
          TEST_MAILBOX_URL: inject('mailboxUrl'),
          TEST_MIGRATIONS: await readD1Migrations(path.join(import.meta.dirname, 'migrations')),
        },
      },
    })),
  ],
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    setupFiles: ['./test/setup.ts'],
    globalSetup: ['./test/peers/index.ts'],
    // One isolate and one store for all files: a test keeps apart by making its own tenant.
    isolate: false,
    deps: {
      optimizer: {
        ssr: {
          enabled: true,
          include: ['hono', 'zod', 'jose', 'drizzle-orm/d1', 'drizzle-orm/sqlite-core', 'hono-openapi'],
        },
      },
    },
  },
});
