import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { PresentedToken } from '../domain/access-tokens.ts';
import { Refusal } from '../domain/refusal.ts';
import type { TenantEnv } from './tenant.ts';

/** What a route knows of whoever is signed in. Whether the token is still alive shows with the first read. */
export type BearerEnv = TenantEnv & { Variables: { token: PresentedToken } };

/** The access token of the tenant, as RFC 6750 has it: in the header and nowhere else. Refuses with `unauthenticated`. */
export const readBearer = async <E extends TenantEnv>(c: Context<E>): Promise<PresentedToken> => {
  const presented = /^Bearer +([\w.~+/-]+=*)$/i.exec(c.req.header('Authorization') ?? '')?.[1];
  if (presented === undefined) throw new Refusal('unauthenticated');
  const token = await c.get('services').accessTokens.verify(presented);
  if (!token) throw new Refusal('unauthenticated');
  return token;
};

/** Takes an access token, as `readBearer` does. */
export const bearer = createMiddleware<BearerEnv>(async (c, next) => {
  c.set('token', await readBearer(c));
  await next();
});
