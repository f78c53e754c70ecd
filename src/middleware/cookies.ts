import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../env.ts';
import { sameOrigin } from './same-origin.ts';

/*
 * Both cookies are of this very host (`__Host-`: sibling tenants can neither read nor set them), out of reach of scripts,
 * and sent over TLS alone, or on the loopback host.
 *
 * | cookie           | what it holds                                 | sent                                         |
 * | ---------------- | --------------------------------------------- | -------------------------------------------- |
 * | `__Host-login`   | which browser it is, for sign-ins it began    | also when another site leads here (Lax)      |
 * | `__Host-refresh` | the session's refresh token                   | only when one of our pages does (Strict)     |
 */

const COMMON = { path: '/', prefix: 'host', httpOnly: true, secure: true } as const;

/** As a token of ours looks: 256 bits in base64url. */
const TOKEN = /^[\w-]{43}$/;

const read = <E extends AppEnv>(c: Context<E>, name: 'login' | 'refresh'): string | null => {
  const value = getCookie(c, name, 'host');
  return value !== undefined && TOKEN.test(value) ? value : null;
};

/** Which browser it is, if it has been told; null otherwise. */
export const readBrowser = <E extends AppEnv>(c: Context<E>): string | null => read(c, 'login');

/** Tells the browser which one it is, for as long as a sign-in may take. */
export const setBrowser = <E extends AppEnv>(c: Context<E>, browser: string): void =>
  setCookie(c, 'login', browser, { ...COMMON, sameSite: 'Lax', maxAge: 600 });

export const readRefreshToken = <E extends AppEnv>(c: Context<E>): string | null => read(c, 'refresh');

export const setRefreshToken = <E extends AppEnv>(c: Context<E>, token: string, lifetimeSeconds: number): void =>
  setCookie(c, 'refresh', token, { ...COMMON, sameSite: 'Strict', maxAge: lifetimeSeconds });

export const clearRefreshToken = <E extends AppEnv>(c: Context<E>): void =>
  setCookie(c, 'refresh', '', { ...COMMON, sameSite: 'Strict', maxAge: 0 });

/** Refuses with `forbidden_origin` what another site has a browser do with our cookies. */
export const cookiesOfOwnSite = createMiddleware<AppEnv>(async (c, next) => {
  const carriesCookie = readBrowser(c) !== null || readRefreshToken(c) !== null;
  return carriesCookie ? sameOrigin(c, next) : next();
});
