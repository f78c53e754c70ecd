import * as z from 'zod';

const DOMAIN_NAME = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/;

/** A domain name of at least two labels (RFC 1123, section 2.1), in lower case. */
export const domain = z.string().toLowerCase().max(253).regex(DOMAIN_NAME, 'must be a domain name');
