/// <reference path="./samlp.d.ts" />
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import samlp from 'samlp';

const read = (name: string) => readFileSync(path.join(import.meta.dirname, 'saml', name), 'utf8');

const pairOf = (name: string) => ({ key: read(`${name}.key`), certificate: read(`${name}.pem`) });

/** What the provider signs with, a stranger's pair, a weak one, one of P-256, and the one that our requests are signed with. */
const KEYS = {
  idp: pairOf('idp'),
  stranger: pairOf('stranger'),
  weak: pairOf('weak'),
  ec: pairOf('ec'),
  sp: pairOf('sp'),
};

const ENTITY_ID = 'https://idp.example.com/metadata';

/** How an answer may differ from the usual one. `attributes` and the name are the person's, the rest as samlp has it. */
export type AnswerOptions = {
  nameId?: string;
  nameIdFormat?: string;
  attributes?: Record<string, string | string[]>;
  [option: string]: unknown;
};

type Claims = { nameId: string; nameIdFormat?: string | undefined; attributes: Record<string, string | string[]> };

/** Takes the person's name and attributes as they are given. */
const profileMapper = ({ nameId, nameIdFormat, attributes }: Claims) => ({
  getClaims: () => attributes,
  getNameIdentifier: () => ({ nameIdentifier: nameId, nameIdentifierFormat: nameIdFormat }),
});

const ADA: Claims = {
  nameId: 'ada',
  nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  attributes: { email: 'ada@example.com', givenName: 'Ada', sn: 'Lovelace' },
};

/**
 * A real SAML identity provider, where Ada is signed in. By HTTP: `/metadata`; `/sso` and `/slo` for redirects, `/sso/signed`
 * taking signed requests alone (by the certificate of the query, if there is one, as `/slo` does); and `POST /answer`, which gives the XML of an answer with the samlp options of its body.
 */
export const startSamlIdp = async () => {
  const options = {
    issuer: ENTITY_ID,
    cert: KEYS.idp.certificate,
    key: KEYS.idp.key,
    signatureAlgorithm: 'rsa-sha256',
    digestAlgorithm: 'sha256',
    lifetimeInSeconds: 300,
    sessionIndex: 'session-1',
    profileMapper,
  };

  const signIn = (signingCert: string | null) => (request: SamlRequest, response: SamlResponse, next: Next) => {
    samlp.parseRequest(request, signingCert === null ? {} : { signingCert }, (error, authnRequest) => {
      if (error || !authnRequest) return next(error ?? new Error('There is no request'));
      const { assertionConsumerServiceURL: acsUrl } = authnRequest;
      samlp.auth({
        ...options,
        recipient: acsUrl,
        destination: acsUrl,
        getUserFromRequest: () => ADA,
        getPostURL: (...[, , , done]: [string, unknown, unknown, (error: null, url: string) => void]) =>
          done(null, acsUrl),
      })(request, response, next);
    });
  };

  const signOut = (cert: string) => {
    const states = new Map<string, unknown>();
    return samlp.logout({
      ...options,
      deflate: true,
      protocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
      sessionParticipants: {
        get: (issuer, sessionIndices, nameId, done) => {
          const isAda = nameId === ADA.nameId && sessionIndices.includes(options.sessionIndex);
          if (!isAda) return done(new Error('There is no such session'));
          const serviceProviderLogoutURL = 'https://acme.example.com/slo';
          const session = { serviceProviderId: issuer, sessionIndex: options.sessionIndex, nameId };
          done(null, { ...session, serviceProviderLogoutURL, cert });
        },
        remove: (_issuer, _sessionIndex, _nameId, done) => done(null),
        hasElements: () => false,
      },
      store: {
        save: (_request, state, done) => {
          states.set('state', state);
          done(null, 'state');
        },
        load: (_request, id, _options, done) => done(null, states.get(id)),
      },
    });
  };

  const answer = async (request: SamlRequest, response: SamlResponse, next: Next) => {
    const given: AnswerOptions = JSON.parse(await text(request));
    const { nameId, nameIdFormat, attributes, ...more } = given;
    const claims = { ...ADA, ...(nameId && { nameId, nameIdFormat }), ...(attributes && { attributes }) };
    samlp.getSamlResponse({ ...options, ...more }, claims, (error, xml) => (xml ? response.send(xml) : next(error)));
  };

  const routes: Record<string, (request: SamlRequest, response: SamlResponse, next: Next) => unknown> = {
    '/metadata': samlp.metadata({
      issuer: options.issuer,
      cert: options.cert,
      redirectEndpointPath: '/sso',
      logoutEndpointPaths: { redirect: '/slo' },
    }),
    '/sso': signIn(null),
    '/sso/signed': (request, ...rest) => signIn(certificateOf(request))(request, ...rest),
    '/slo': (request, ...rest) => signOut(certificateOf(request))(request, ...rest),
    '/answer': answer,
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const query = Object.fromEntries(url.searchParams);
    routes[url.pathname]?.(
      Object.assign(request, { query, body: {}, protocol: 'http', originalUrl: request.url }),
      {
        set: (name, value) => response.setHeader(name, value),
        send: (body) => response.end(String(body)),
        redirect: (location) => response.writeHead(302, { Location: location }).end(),
      },
      (error) => response.writeHead(400).end(String(error)),
    );
  });
  // An idle connection that is closed here may be the one on which the next request is on its way.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    idp: { url: `http://127.0.0.1:${portOf(server.address())}`, entityId: ENTITY_ID, keys: KEYS },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

type SamlIdp = Awaited<ReturnType<typeof startSamlIdp>>['idp'];

// Here, so that the tests, which are not compiled together with all of this folder, know of it.
declare module 'vitest' {
  interface ProvidedContext {
    samlIdp: SamlIdp;
  }
}

const certificateOf = ({ query }: SamlRequest): string => query.certificate ?? KEYS.sp.certificate;

type SamlRequest = Parameters<ReturnType<typeof samlp.auth>>[0];
type SamlResponse = Parameters<ReturnType<typeof samlp.auth>>[1];
type Next = Parameters<ReturnType<typeof samlp.auth>>[2];

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
};
