import { describe, expect, it } from 'vitest';
import { readDocument } from '../../support/document.ts';
import { nameOf, servedRoutes } from '../../support/routes.ts';
import { createService } from '../../support/service.ts';

const { openapi, paths, components } = await readDocument();

const documented = Object.entries(paths).flatMap(([template, operations]) =>
  Object.keys(operations).map((method) => nameOf({ method: method.toUpperCase(), template })),
);

/** Every `$ref` in it. */
const referencesIn = (part: unknown): string[] => {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([name, value]) =>
    name === '$ref' && typeof value === 'string' ? [value] : referencesIn(value),
  );
};

describe('GET /openapi.json', () => {
  it('is OpenAPI 3.1, open to everybody and kept by caches for five minutes', async () => {
    const response = await createService().call('GET', '/openapi.json');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toContain('application/json');
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=300');
    expect(openapi).toMatch(/^3\.1\.\d+$/);
  });

  it('tells of every route that is served, and of no other', () => {
    expect(documented.toSorted()).toEqual(servedRoutes(''));
  });

  it('refers to nothing that is not in it', () => {
    const targets = new Set(Object.keys(components.schemas).map((name) => `#/components/schemas/${name}`));
    const references = referencesIn({ paths, components });
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((reference) => !targets.has(reference))).toEqual([]);
  });

  it('tells for every route a success, and what it answers to bad input and to failing storage', () => {
    for (const operations of Object.values(paths)) {
      for (const { responses } of Object.values(operations)) {
        const statuses = Object.keys(responses);
        expect(statuses.filter((status) => /^[23]/.test(status)).length).toBeGreaterThan(0);
        expect(statuses).toEqual(expect.arrayContaining(['400', '429', '500', '503']));
      }
    }
  });

  it('names no security scheme that it does not describe', () => {
    const operations = Object.values(paths).flatMap((each) => Object.values(each));
    const named = operations.flatMap(({ security = [] }) => security.flatMap((each) => Object.keys(each)));
    const described = Object.keys(Reflect.get(components, 'securitySchemes'));
    expect([...new Set(named)].filter((scheme) => !described.includes(scheme))).toEqual([]);
  });
});

describe('GET /docs', () => {
  it('is a page that loads nothing but files of its own host', async () => {
    const response = await createService().call('GET', '/docs');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('text/html; charset=UTF-8');
    const policy = response.headers.get('Content-Security-Policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    const page = await response.text();
    const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url);
    expect(loaded.length).toBeGreaterThanOrEqual(3);
    for (const url of loaded) expect(url).toMatch(/^\/docs\/[\w.-]+$/);
    expect(page).not.toMatch(/<script>|\son\w+=|style=/);
  });
});
