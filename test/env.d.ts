declare namespace Cloudflare {
  interface Env {
    OPERATOR_TOKEN: string;
    SMS_URL: string;
    TEST_TEXT_URLS: import('vitest').ProvidedContext['textUrls'];
    TEST_MAIL_URLS: import('vitest').ProvidedContext['mailUrls'];
    TEST_IDENTITY_PROVIDERS: import('vitest').ProvidedContext['identityProviders'];
    TEST_MIGRATIONS: import('cloudflare:test').D1Migration[];
  }
}
