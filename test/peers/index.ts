import type { TestProject } from 'vitest/node';
import { startFacebook } from './facebook.ts';
import { startMailbox } from './mailbox.ts';
import { startOidcProviders } from './oidc.ts';
import { startSamlIdp } from './saml.ts';
import { startScriptedServer } from './scripted.ts';
import { startStubbornServers } from './stubborn.ts';
import { startTextMessages } from './texts.ts';

type MailUrls = Awaited<ReturnType<typeof startMailbox>>['urls'] &
  Awaited<ReturnType<typeof startStubbornServers>>['urls'];

type IdentityProviders = Awaited<ReturnType<typeof startOidcProviders>>['peers'] &
  Awaited<ReturnType<typeof startFacebook>>['peers'] &
  Awaited<ReturnType<typeof startScriptedServer>>['peers'];

declare module 'vitest' {
  interface ProvidedContext {
    mailUrls: MailUrls;
    identityProviders: IdentityProviders;
  }
}

/** Starts the servers that the Worker talks to in the tests: real ones, outside workerd. */
export const setup = async (project: TestProject) => {
  const [mailbox, stubborn, oidc, facebook, saml, scripted, texts] = await Promise.all([
    startMailbox(),
    startStubbornServers(),
    startOidcProviders(),
    startFacebook(),
    startSamlIdp(),
    startScriptedServer(),
    startTextMessages(),
  ]);
  project.provide('mailUrls', { ...mailbox.urls, ...stubborn.urls });
  project.provide('identityProviders', { ...oidc.peers, ...facebook.peers, ...scripted.peers });
  project.provide('samlIdp', saml.idp);
  project.provide('textUrls', texts.urls);
  return () => Promise.all([mailbox, stubborn, oidc, facebook, saml, scripted, texts].map((peer) => peer.close()));
};
