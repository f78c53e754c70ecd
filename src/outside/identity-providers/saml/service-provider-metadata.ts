import { base64Of } from './certificate.ts';
import { BINDING, NAME_ID_FORMAT, NAMESPACE, writeAttributes } from './markup.ts';

/** The certificate, in PEM, is that of the key that signs requests: with it goes the promise to sign each of them. */
type ServiceProvider = { entityId: string; acsUrl: string; sloUrl: string | null; signingCertificate: string | null };

/** What an identity provider's administrator loads to know us, as XML (SAML Metadata, section 2.4.4). */
export const serviceProviderMetadata = ({ entityId, acsUrl, sloUrl, signingCertificate }: ServiceProvider): string => {
  const certificate = signingCertificate && base64Of(signingCertificate);
  const role = writeAttributes({
    AuthnRequestsSigned: String(signingCertificate !== null),
    WantAssertionsSigned: 'true',
    protocolSupportEnumeration: NAMESPACE.protocol,
  });
  const post = writeAttributes({ Binding: BINDING.post, Location: acsUrl, index: '0', isDefault: 'true' });
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<md:EntityDescriptor${writeAttributes({ 'xmlns:md': NAMESPACE.metadata, entityID: entityId })}>`,
    `<md:SPSSODescriptor${role}>`,
    certificate &&
      `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="${NAMESPACE.signature}"><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
    sloUrl && `<md:SingleLogoutService${writeAttributes({ Binding: BINDING.redirect, Location: sloUrl })}/>`,
    // Persistent first: a name that is new at every sign-in, as some providers choose by themselves, is refused.
    `<md:NameIDFormat>${NAME_ID_FORMAT.persistent}</md:NameIDFormat>`,
    `<md:NameIDFormat>${NAME_ID_FORMAT.email}</md:NameIDFormat>`,
    `<md:AssertionConsumerService${post}/>`,
    `</md:SPSSODescriptor>`,
    `</md:EntityDescriptor>`,
  ]
    .filter(Boolean)
    .join('');
};
