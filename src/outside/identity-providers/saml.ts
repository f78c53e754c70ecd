// SAML 2.0 as a service provider. Import it with `import()`: an XML parser and XML signatures are most of it.
//
// Left to the caller: to send each request once (`requestId`, bound to the browser), to take each assertion once (in one
// statement that stores `assertionId` until `expiresAt`), and to believe addresses of the connection's own domains alone.
export type { SamlNameId } from './saml/assertion.ts';
export { readCertificate, type SamlCertificate } from './saml/certificate.ts';
export { type IdentityProviderMetadata, readIdpMetadata } from './saml/identity-provider-metadata.ts';
export type { SamlFaultReason } from './saml/outcome.ts';
export { startSamlLogin, startSamlLogout } from './saml/requests.ts';
export { finishSamlLogin, type SamlOutcome } from './saml/response.ts';
export { serviceProviderMetadata } from './saml/service-provider-metadata.ts';
export { createSigningPair, importSigningKey, type SamlSigningPair } from './saml/signing-pair.ts';

/** SAML weighs as much as a sixth of the Worker, and few requests need it: it is loaded when one does. */
export type SamlLoader = () => Promise<typeof import('./saml.ts')>;
