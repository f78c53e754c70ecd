import type { Return } from '../../domain/federation.ts';

/** What the document says of a redirect to `returnUrlOf`. */
export const RETURN = 'On to the redirect_uri, with `state`, and `code` or `error`';

/** Where a browser goes on to, with what it carries there (RFC 6749, section 4.1.2). */
export const returnUrlOf = ({ redirectUri, ...parameters }: Return): string => {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
};
