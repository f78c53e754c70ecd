import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Apps at Facebook, by id, with their secrets. */
const APPS = new Map([
  ['1001', 'secret of app 1001'],
  ['2002', 'secret of app 2002'],
]);

const PEOPLE = new Map([
  ['71', { name: 'Ada King Lovelace', first_name: 'Ada', last_name: 'Lovelace', email: 'ada@example.com' }],
  ['72', { name: 'Grace Hopper', first_name: 'Grace', last_name: 'Hopper' }],
]);

/**
 * A server that answers as Facebook's Graph API does, by its documentation: `/debug_token` for whoever has an app's token,
 * `/me` for whoever has a user's token and can prove to be its app (apps 1001 and 2002 require `appsecret_proof`). A user's
 * access token is `EAA`, the app, the person and what kind of token it is, e.g. `EAA.1001.71.user`.
 */
export const startFacebook = async () => {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const [status, body] = answerTo(pathname, searchParams);
    response.writeHead(status, { 'Content-Type': 'application/json; charset=UTF-8' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    peers: { facebook: `http://127.0.0.1:${portOf(server.address())}` },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

type Answer = [status: number, body: unknown];

const answerTo = (path: string, parameters: URLSearchParams): Answer => {
  if (path === '/debug_token') return debugToken(parameters);
  if (path === '/me') return me(parameters);
  return refusal(404, 2500, 'Unknown path components');
};

const debugToken = (parameters: URLSearchParams): Answer => {
  const [caller = '', secret = ''] = (parameters.get('access_token') ?? '').split('|');
  if (!isEqual(APPS.get(caller), secret)) return refusal(400, 190, 'Invalid OAuth access token signature.');
  const token = readToken(parameters.get('input_token'));
  if (!token) {
    const error = { code: 190, message: 'Malformed access token' };
    return [200, { data: { error, is_valid: false, scopes: [] } }];
  }
  const { appId, userId, kind } = token;
  const now = Math.floor(Date.now() / 1000);
  return [
    200,
    {
      data: {
        app_id: appId,
        type: kind === 'page' ? 'PAGE' : 'USER',
        application: 'An app',
        data_access_expires_at: now + 7_776_000,
        expires_at: kind === 'endless' ? 0 : now + 3600,
        is_valid: kind !== 'ended',
        scopes: ['email', 'public_profile'],
        user_id: userId,
        ...(kind === 'ended' && { error: { code: 190, message: 'Session has expired', subcode: 463 } }),
      },
    },
  ];
};

const me = (parameters: URLSearchParams): Answer => {
  const accessToken = parameters.get('access_token') ?? '';
  const token = readToken(accessToken);
  const person = PEOPLE.get(token?.userId ?? '');
  const secret = APPS.get(token?.appId ?? '');
  if (!token || !person || !secret || token.kind === 'ended') {
    return refusal(400, 190, 'Invalid OAuth access token.');
  }
  const proof = createHmac('sha256', secret).update(accessToken).digest('hex');
  if (!isEqual(proof, parameters.get('appsecret_proof'))) {
    return refusal(400, 100, 'Invalid appsecret_proof provided in the API argument');
  }
  const fields = (parameters.get('fields') ?? 'id,name').split(',');
  const members = Object.entries({ id: token.userId, ...person }).filter(([name]) => fields.includes(name));
  return [200, Object.fromEntries(members)];
};

const readToken = (token: string | null) => {
  const [prefix, appId = '', userId = '', kind = ''] = (token ?? '').split('.');
  return prefix === 'EAA' && APPS.has(appId) && PEOPLE.has(userId) ? { appId, userId, kind } : null;
};

const isEqual = (right: string | undefined, given: string | null): boolean =>
  right !== undefined && right.length === given?.length && timingSafeEqual(Buffer.from(right), Buffer.from(given));

const refusal = (status: number, code: number, message: string): Answer => [
  status,
  { error: { message, type: 'OAuthException', code, fbtrace_id: 'AAAA' } },
];

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
};
