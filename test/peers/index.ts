import type { TestProject } from 'vitest/node';
import { startMailbox } from './mailbox.ts';
import { startOidcProviders } from './oidc.ts';
import { startSamlIdp } from './saml.ts';
import { startScriptedServer } from './scripted.ts';
import { startStubbornServers } from './stubborn.ts';

type MailUrls = Awaited<ReturnType<typeof startMailbox>>['urls'] &
  Awaited<ReturnType<typeof startStubbornServers>>['urls'];

type IdentityProviders = Awaited<ReturnType<typeof startOidcProviders>>['peers'] &
  Awaited<ReturnType<typeof startScriptedServer>>['peers'];

declare module 'vitest' {
  interface ProvidedContext {
    mailUrls: MailUrls;
    identityProviders: IdentityProviders;
  }
}

/** Starts the servers that the Worker talks to in the tests: real ones, outside workerd. */
export const setup = async (project: TestProject) => {
  const [mailbox, stubborn, oidc, saml, scripted] = await Promise.all([
    startMailbox(),
    startStubbornServers(),
    startOidcProviders(),
    startSamlIdp(),
    startScriptedServer(),
  ]);
  project.provide('mailUrls', { ...mailbox.urls, ...stubborn.urls });
  project.provide('identityProviders', { ...oidc.peers, ...scripted.peers });
  project.provide('samlIdp', saml.idp);
  return () => Promise.all([mailbox, stubborn, oidc, saml, scripted].map((peer) => peer.close()));
};
