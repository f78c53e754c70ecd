declare namespace Cloudflare {
  interface Env {
    OPERATOR_TOKEN: string;
    TEST_MAILBOX_URL: string;
    TEST_MIGRATIONS: import('cloudflare:test').D1Migration[];
  }
}
