declare namespace Cloudflare {
  interface Env {
    OPERATOR_TOKEN: string;
    TEST_MAIL_URLS: import('vitest').ProvidedContext['mailUrls'];
    TEST_MIGRATIONS: import('cloudflare:test').D1Migration[];
  }
}
