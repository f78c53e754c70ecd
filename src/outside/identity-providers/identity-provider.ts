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
