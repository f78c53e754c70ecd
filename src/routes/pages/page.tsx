import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { Refusal } from '../../domain/refusal.ts';
import type { AppEnv } from '../../env.ts';
import { commonWire, problem } from '../../middleware/problems.ts';
import { type Brand, sourceOf } from './branding.ts';
import { Alert, Page } from './layout.tsx';
import { styleSheet } from './style.ts';
import { explain } from './texts.ts';
import { viewOf } from './view.ts';

type Shown = {
  title: string;
  /** Why the page is shown instead of what was asked for: gives it its status and headers. */
  refusal?: Refusal | null;
  /** Where the page's form may be redirected to after it was posted, beside our own origin. */
  formTargets?: readonly string[];
  /** Where the browser goes on to by itself. */
  goOn?: string;
};

/** Answers with a page that holds `content`, under a policy by which it can load and run nothing that is not its own. */
export const showPage = async <E extends AppEnv>(
  c: Context<E>,
  { title, refusal = null, formTargets = [], goOn }: Shown,
  content: Child,
): Promise<Response> => {
  const { language, texts, tenantName, brand } = viewOf(c);
  const page = (
    <Page language={language} title={refusal ? texts.faultyTitle(title) : title} tenantName={tenantName} brand={brand}>
      {content}
    </Page>
  );
  const wire = refusal && commonWire[refusal.code];
  return c.html(html`<!doctype html>${page}`, wire?.status ?? 200, {
    ...wire?.headers,
    ...(refusal?.retryAfterSeconds && { 'Retry-After': String(refusal.retryAfterSeconds) }),
    ...(goOn !== undefined && { Refresh: `0; url=${goOn}` }),
    'Content-Security-Policy': await policyOf(brand, formTargets),
  });
};

/**
 * The page for a refusal that no form can do anything about; `next` is what to do instead. A host that is nobody's has no
 * pages.
 */
export const showRefusal = async <E extends AppEnv>(
  c: Context<E>,
  refusal: Refusal,
  next: Child = null,
): Promise<Response> => {
  if (refusal.code === 'tenant_not_found') return problem(c, commonWire, refusal);
  const { title, text } = explain(viewOf(c), refusal);
  return showPage(
    c,
    { title, refusal },
    <>
      <h1>{title}</h1>
      <Alert kind="wrong">{text}</Alert>
      {next}
    </>,
  );
};

const policyOf = async (brand: Brand, formTargets: readonly string[]): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(styleSheet(brand)));
  const targets = formTargets.map(sourceOf).filter((source) => source !== null);
  return [
    "default-src 'none'",
    `style-src 'sha256-${new Uint8Array(digest).toBase64()}'`,
    ...(brand.logo ? [`img-src ${brand.logo.origin}`] : []),
    ["form-action 'self'", ...targets].join(' '),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
};
