import * as z from 'zod';
import { issuer, text } from '../../fields.ts';
import { domain } from '../domains.ts';

const connection = z.strictObject({
  domains: z
    .array(domain)
    .min(1)
    .max(100)
    .transform((domains) => [...new Set(domains)]),
  signup: z.boolean(),
});

/** Either the metadata, or what is in it. */
const saml = connection
  .extend({
    type: z.literal('saml'),
    sign_requests: z.boolean().default(false),
    metadata_xml: z.string().min(1).optional(),
    entity_id: text(1024).optional(),
    sso_url: z.url().max(2048).optional(),
    slo_url: z.url().max(2048).nullable().optional(),
    certificates: z.array(z.string().max(16_384)).min(1).max(10).optional(),
  })
  .transform(({ metadata_xml, entity_id, sso_url, slo_url, certificates, ...same }, context) => {
    const needed = { entity_id, sso_url, certificates };
    const given = Object.entries({ ...needed, slo_url }).filter(([, value]) => value !== undefined);
    if (metadata_xml !== undefined && given.length === 0) return { ...same, source: { metadataXml: metadata_xml } };
    if (metadata_xml === undefined && entity_id !== undefined && sso_url !== undefined && certificates !== undefined) {
      return { ...same, source: { entityId: entity_id, ssoUrl: sso_url, sloUrl: slo_url ?? null, certificates } };
    }
    const [wrong, message] =
      metadata_xml === undefined
        ? [
            Object.entries(needed).filter(([, value]) => value === undefined),
            'is needed, or metadata_xml in place of all of these',
          ]
        : [given, 'is said by metadata_xml already'];
    for (const [path] of wrong) context.addIssue({ code: 'custom', path: [path], message });
    return z.NEVER;
  });

const oidc = connection.extend({
  type: z.literal('oidc'),
  issuer,
  client_id: text(1000),
  client_secret: z.string().min(1).max(1000),
});

/** The body of `PUT …/connections/:name`. */
export const connectionProfile = z.discriminatedUnion('type', [oidc, saml]).meta({ id: 'ConnectionProfile' });

const connectionCommon = z.strictObject({
  name: z.string(),
  domains: z.array(z.string()),
  signup: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

/** A connection, without its secrets. `signing_certificate` is ours: the provider checks signed requests with it. */
export const connectionObject = z
  .discriminatedUnion('type', [
    connectionCommon.extend({ type: z.literal('oidc'), issuer: z.string(), client_id: z.string() }),
    connectionCommon.extend({
      type: z.literal('saml'),
      entity_id: z.string(),
      sso_url: z.string(),
      slo_url: z.string().nullable(),
      certificates: z.array(z.string()),
      sign_requests: z.boolean(),
      signing_certificate: z.string().nullable(),
    }),
  ])
  .meta({ id: 'Connection' });
