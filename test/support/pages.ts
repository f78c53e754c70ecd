import { expect } from 'vitest';
import { linkIn } from './accounts.ts';
import { lastMailTo } from './mailbox.ts';
import type { Service } from './service.ts';
import { newApp, newCustomer, newTenant, type TestTenant } from './tenants.ts';

type Element = { tag: string; attributes: Record<string, string>; text: string };

/** A page as it was answered, with every element that it has. */
export type TestPage = {
  status: number;
  headers: Headers;
  source: string;
  elements: Element[];
  /** The elements of a tag. */
  all: (tag: string) => Element[];
  /** The text of the first element of a tag. */
  textOf: (tag: string) => string;
  /** The text of the elements with a role. */
  told: (role: 'alert' | 'status') => string;
  /** What the page says is wrong with a field. */
  faultOf: (name: string) => string;
};

/** Reads a page, and fails unless it is one that no script runs on and whose every input has its label. */
export const readPage = async (response: Response): Promise<TestPage> => {
  expect(response.headers.get('Content-Type')).toBe('text/html; charset=UTF-8');
  const source = await response.clone().text();
  const elements: Element[] = [];
  const open: Element[] = [];
  await new HTMLRewriter()
    .on('*', {
      element: (found) => {
        const element = { tag: found.tagName, attributes: Object.fromEntries(found.attributes), text: '' };
        elements.push(element);
        if (VOID.has(found.tagName)) return;
        open.push(element);
        found.onEndTag(() => {
          open.pop();
        });
      },
      text: ({ text }) => {
        for (const each of open) each.text += text;
      },
    })
    .transform(response)
    .arrayBuffer();
  const all = (tag: string) => elements.filter((each) => each.tag === tag);
  const withId = (id: string | undefined) => elements.filter(({ attributes }) => attributes.id === id);
  const page: TestPage = {
    status: response.status,
    headers: response.headers,
    source,
    elements,
    all,
    textOf: (tag) => unescaped(all(tag)[0]?.text ?? ''),
    told: (role) =>
      elements
        .filter(({ attributes }) => attributes.role === role)
        .map(({ text }) => unescaped(text))
        .join(' '),
    faultOf: (name) => {
      const input = all('input').find(({ attributes }) => attributes.name === name);
      const ids = input?.attributes['aria-describedby']?.split(' ') ?? [];
      const fault = ids.find((id) => id.endsWith('-fault'));
      expect(input?.attributes['aria-invalid']).toBe(fault === undefined ? undefined : 'true');
      return fault === undefined ? '' : unescaped(withId(fault)[0]?.text ?? '');
    },
  };
  expectSound(page, withId);
  return page;
};

const VOID: ReadonlySet<string> = new Set(['meta', 'link', 'img', 'input', 'br']);

const expectSound = ({ source, all, elements }: TestPage, withId: (id: string | undefined) => Element[]): void => {
  expect(source.startsWith('<!doctype html><html lang="')).toBe(true);
  expect(all('script')).toEqual([]);
  for (const { attributes } of elements) {
    expect(Object.keys(attributes).filter((name) => name === 'style' || name.startsWith('on'))).toEqual([]);
    expect(Object.values(attributes).filter((value) => /^\s*javascript:/i.test(value))).toEqual([]);
    for (const id of attributes['aria-describedby']?.split(' ') ?? []) expect(withId(id), id).toHaveLength(1);
  }
  const labelled = all('label').map(({ attributes }) => attributes.for);
  expect(labelled).toEqual(all('input').map(({ attributes }) => attributes.id));
  expect(new Set(labelled).size).toBe(labelled.length);
  for (const { text } of all('label')) expect(text).not.toBe('');
  expect(all('title')).toHaveLength(1);
  expect(all('h1')).toHaveLength(1);
  expect(all('main')).toHaveLength(1);
};

const unescaped = (text: string): string =>
  text.replace(/&(lt|gt|quot|amp|#39);/g, (_, name: string) => CHARACTERS[name] ?? '');

const CHARACTERS: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&', '#39': "'" };

/** What a browser sends with a form of a page that refers to nobody. */
export const FORM_HEADERS = {
  'Content-Type': 'application/x-www-form-urlencoded',
  Origin: 'null',
  'Sec-Fetch-Site': 'same-origin',
};

export const openPage = async (service: Service, url: string, headers: Record<string, string> = {}) =>
  readPage(await service.call('GET', url, { headers }));

/** Posts a page's form as a browser does. */
export const postForm = async (
  service: Service,
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
) =>
  readPage(
    await service.call('POST', url, {
      headers: { ...FORM_HEADERS, ...headers },
      rawBody: new URLSearchParams(fields).toString(),
    }),
  );

export const newPassword = (): string => `correct horse ${crypto.randomUUID()}`;

export const twice = (password: string) => ({ password, password_check: password });

/** The page that an activation mail leads to, at the tenant's own host. */
export const newActivationPage = async (
  service: Service,
  tenant: TestTenant,
  details: Record<string, unknown> = {},
) => {
  const app = await newApp(service, tenant);
  const { email } = await newCustomer(service, app, { send_activation: true, ...details });
  const { identifier, secret } = linkIn(await lastMailTo(email), 'activate');
  return { app, email, identifier, secret, url: `${tenant.host}/activate/${identifier}/${secret}` };
};

/** As `newActivationPage`, with a tenant of its own. */
export const newActivation = async (service: Service, profile: Record<string, unknown> = {}) => {
  const tenant = await newTenant(service, profile);
  return { tenant, ...(await newActivationPage(service, tenant)) };
};

/** Whether the JSON login takes the password. */
export const canSignIn = async (service: Service, tenant: TestTenant, email: string, password: string) => {
  const { status } = await service.call('POST', `${tenant.host}/customers/login`, { body: { email, password } });
  expect([200, 401]).toContain(status);
  return status === 200;
};
