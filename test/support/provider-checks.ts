import { signClientSecret } from '../../src/crypto/client-secrets.ts';
import { verifyForeignToken } from '../../src/crypto/foreign-tokens.ts';
import { randomToken } from '../../src/crypto/random.ts';
import { createProviderCheck, type IdentityProvider } from '../../src/outside/identity-providers/provider-checks.ts';
import { newProviderKey, signClaims } from './oidc.ts';
import { jsonAnswer, newScriptedPath } from './scripted.ts';

export const newCheck = (parts: Partial<Parameters<typeof createProviderCheck>[0]> = {}) =>
  createProviderCheck({
    fetch,
    allowsLoopback: true,
    now: Date.now,
    randomToken,
    verifyToken: verifyForeignToken,
    signClientSecret,
    ...parts,
  });

type Check = ReturnType<typeof newCheck>;

export const unavailable = (reason: string) => ({ kind: 'unavailable', reason });

/** The Internet as a scripted path has it: a host's answers are below its name. */
export const internetAt =
  (path: { url: string }): typeof globalThis.fetch =>
  (input, init) => {
    const { protocol, host, pathname, search } = new URL(input instanceof Request ? input.url : input);
    return fetch(protocol === 'http:' ? input : `${path.url}/${host}${pathname}${search}`, init);
  };

/** What a check says whose time runs out as soon as the provider is at work. */
export const outOfTime = async <T>(
  isAtWork: () => Promise<void>,
  run: (deadline: () => AbortSignal) => Promise<T>,
): Promise<T> => {
  const deadline = new AbortController();
  const outcome = run(() => deadline.signal);
  await isAtWork();
  deadline.abort();
  return outcome;
};

export const CLIENT_ID = 'client-of-ours';

export const CHANNEL_SECRET = 'a channel secret of 32 characters';

export const DIRECTORY = '72f988bf-86f1-41af-91ab-2d7cd011db47';

export type SocialType = 'google' | 'apple' | 'microsoft' | 'line';

/** What is published of the providers that everybody knows. */
export const SOCIAL = {
  google: {
    keysAt: '/www.googleapis.com/oauth2/v3/certs',
    tokenAt: '/oauth2.googleapis.com/token',
    iss: 'https://accounts.google.com',
    alg: 'RS256',
    own: {},
  },
  apple: {
    keysAt: '/appleid.apple.com/auth/keys',
    tokenAt: '/appleid.apple.com/auth/token',
    iss: 'https://appleid.apple.com',
    alg: 'RS256',
    own: { nonce_supported: true },
  },
  microsoft: {
    keysAt: '/login.microsoftonline.com/common/discovery/v2.0/keys',
    tokenAt: '/login.microsoftonline.com/common/oauth2/v2.0/token',
    iss: `https://login.microsoftonline.com/${DIRECTORY}/v2.0`,
    alg: 'RS256',
    own: { tid: DIRECTORY, ver: '2.0', xms_edov: true },
  },
  line: {
    keysAt: '/api.line.me/oauth2/v2.1/certs',
    tokenAt: '/api.line.me/oauth2/v2.1/token',
    iss: 'https://access.line.me',
    alg: 'ES256',
    own: { amr: ['linesso'] },
  },
} as const;

const keys = new Map<string, Awaited<ReturnType<typeof newProviderKey>>>();

/** One key for each name: they take long to make. */
export const keyNamed = async (kid: string, alg: string) => {
  const key = keys.get(`${alg} ${kid}`) ?? (await newProviderKey(kid, alg));
  keys.set(`${alg} ${kid}`, key);
  return key;
};

export const providerOf = (
  type: SocialType,
  parts: { clientIds?: string[]; issuer?: string } = {},
): IdentityProvider => {
  const settings = { clientIds: [CLIENT_ID], issuer: null, ...parts };
  return type === 'apple'
    ? { type, signingKey: null, ...settings }
    : { type, clientSecret: CHANNEL_SECRET, ...settings };
};

/** What is other than in order: in the token, its header, its key, what comes with it and who looks at it. */
export type TokenScript = {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  key?: { kid: string; alg: string; privateKey: CryptoKey | Uint8Array };
  idToken?: (token: string) => string;
  nonce?: string;
  check?: Check;
  deadline?: () => AbortSignal;
  provider?: IdentityProvider;
  now?: number;
};

/** A provider that everybody knows, whose keys are in place and every answer of which a test can change. */
export const newSocialProvider = async (type: SocialType) => {
  const path = newScriptedPath();
  const { keysAt, tokenAt, iss, alg, own } = SOCIAL[type];
  const key = await keyNamed('first', alg);
  await path.answer(jsonAnswer({ keys: [key.jwk] }), keysAt);
  const checkHere = (parts: Parameters<typeof newCheck>[0] = {}) => newCheck({ fetch: internetAt(path), ...parts });

  const newToken = async ({ claims = {}, header = {}, key: by = key, now = Date.now() }: TokenScript = {}) => {
    const issuedAt = Math.floor(now / 1000);
    const all = {
      ...{ iss, aud: CLIENT_ID, sub: 'person-1', iat: issuedAt, exp: issuedAt + 3600, ...own },
      ...{ email: 'ada@example.com', email_verified: true, given_name: 'Ada', family_name: 'Lovelace' },
      ...claims,
    };
    return signClaims(all, by.privateKey, { alg: by.alg, kid: by.kid, ...header });
  };

  return {
    ...path,
    type,
    key,
    keysAt,
    tokenAt,
    newToken,
    newCheck: checkHere,
    /** Publishes keys instead of the first one. */
    publish: (...published: unknown[]) => path.answer(jsonAnswer({ keys: published }), keysAt),
    keyRequests: async (): Promise<number> => (await path.requests(keysAt)).length,
    /** Signs in with a token that is in order but for what the test says. */
    signIn: async (script: TokenScript = {}) => {
      const { nonce = null, provider = providerOf(type), deadline } = script;
      const check = script.check ?? checkHere(deadline ? { deadline } : {});
      const token = await newToken(script);
      return check(provider, { kind: 'id_token', idToken: script.idToken?.(token) ?? token, nonce });
    },
  };
};
