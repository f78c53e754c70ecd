import * as z from 'zod';
import { issuer, text } from '../../fields.ts';
import { webhookSecret } from '../webhook-secrets.ts';

const member = z.string().max(2048).exactOptional();

const NEEDED_OF_KEYS = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'] } as const;

/** A public key as a JWK (RFC 7517): nothing of a private or a symmetric one has a place in it. */
const publicKey = z
  .strictObject({
    kty: z.enum(['RSA', 'EC', 'OKP']),
    key_ops: z.array(z.string().max(20)).max(10).exactOptional(),
    ...{ kid: member, alg: member, use: member, crv: member, x: member, y: member, n: member, e: member },
  })
  .superRefine((key, context) => {
    for (const name of NEEDED_OF_KEYS[key.kty]) {
      if (key[name] === undefined) context.addIssue({ code: 'custom', path: [name], message: 'is needed' });
    }
  });

const secret = z.string().min(1).max(4096);
const url = z.url().max(2048);
const clientIds = z.array(text(500)).min(1).max(20);

const claim = text(100).nullable().default(null);
const signup = z.boolean();

/** The body of `PUT …/providers/:name`. */
export const providerProfile = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.enum(['google', 'microsoft', 'line']),
      signup,
      client_ids: clientIds,
      client_secret: secret.nullable().default(null),
      issuer: issuer.nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('apple'),
      signup,
      client_ids: clientIds,
      signing_key: z
        .strictObject({ team_id: text(20), key_id: text(20), private_key: secret })
        .nullable()
        .default(null),
      issuer: issuer.nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('facebook'),
      signup,
      app_id: text(100),
      app_secret: secret,
      base_url: url.nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('oidc'),
      signup,
      issuer,
      client_ids: clientIds,
      client_secret: secret.nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('jwt'),
      signup,
      keys: z.union([z.strictObject({ jwks_url: url }), z.strictObject({ public_key: publicKey })]),
      issuer: text(2048),
      audience: text(2048),
      claims: z
        .strictObject({
          subject: text(100).default('sub'),
          email: claim,
          email_verified: claim,
          name: claim,
          given_name: claim,
          family_name: claim,
        })
        .prefault({}),
    }),
    z.strictObject({ type: z.literal('http'), signup, url, secret: webhookSecret }),
    z.strictObject({ type: z.literal('otp'), signup, enabled: z.boolean() }),
    z.strictObject({ type: z.literal('password'), signup: z.literal(false).default(false), enabled: z.boolean() }),
  ])
  .meta({ id: 'ProviderProfile' });

/** A provider, without its secrets: what it is set to otherwise depends on its type. */
export const providerObject = z
  .looseObject({
    name: z.string(),
    type: z.string(),
    signup: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Provider' });
