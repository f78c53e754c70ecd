/** What an identity provider says of the person who signed in there. Nothing in it has been checked but who says it. */
export type Assertion = {
  /** The person's stable name at this provider: at most 255 characters, none of them control, compared exactly. */
  subject: string;
  email: string | null;
  /** Whether the provider itself said that the address is the person's. */
  isEmailVerified: boolean;
  givenName: string | null;
  familyName: string | null;
};

/** What a provider of the tenant surface says, which may know no more of a name than the whole of it. */
export type ProviderAssertion = Assertion & { name: string | null };

/**
 * What somebody sent to prove who it is. A nonce has to be the token's, and there if the token has one. Who made it, and that it serves once, is the
 * caller's to see to: a token is as good here the second time as the first.
 */
export type ProviderCredentials =
  | { kind: 'id_token'; idToken: string; nonce: string | null }
  | { kind: 'code'; code: string; redirectUri: string; codeVerifier: string | null; nonce: string | null }
  | { kind: 'access_token'; accessToken: string }
  | { kind: 'data'; data: Record<string, unknown> };
