import { firstTimeOrderedId, randomTimeOrderedId, randomToken } from './random.ts';

export type TenantId = `ten_${string}`;
export type AppId = `app_${string}`;
export type CustomerId = `cus_${string}`;
export type UserId = `usr_${string}`;
export type ChallengeId = `chl_${string}`;
export type EventId = `evt_${string}`;
export type PhoneId = `phn_${string}`;
export type HeldChangeId = `chg_${string}`;
export type SessionId = `ses_${string}`;

/** A new id of a kind, e.g. `newId('cus', now())`. Ids of one kind sort by the time they were made. */
export const newId = <Kind extends string>(kind: Kind, now: number): `${Kind}_${string}` =>
  `${kind}_${randomTimeOrderedId(now)}`;

/** The id of a kind that none sorts before which was made at this moment or later. */
export const firstIdAt = <Kind extends string>(kind: Kind, at: number): `${Kind}_${string}` =>
  `${kind}_${firstTimeOrderedId(at)}`;

/** Whether a text has the form of an id of this kind. */
export const isId = <Kind extends string>(kind: Kind, text: string): text is `${Kind}_${string}` =>
  text.startsWith(`${kind}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(text.slice(kind.length + 1));

/**
 * The public half of a credential pair. It names its tenant, so that a call is authenticated without another look-up:
 * `sk_` for an app's super key, `ck_` for a customer's key.
 */
export const newCredentialKey = (kind: 'sk' | 'ck', tenantId: TenantId): string =>
  `${kind}_${tenantId.slice('ten_'.length)}_${randomToken().slice(0, 22)}`;

/** The tenant that a credential key names, or null for a text that is no key of this kind. */
export const tenantOfCredentialKey = (kind: 'sk' | 'ck', key: string): TenantId | null => {
  const [prefix, tenant = '', unique = ''] = splitKey(key);
  const id = `ten_${tenant}`;
  return prefix === kind && unique.length === 22 && isId('ten', id) ? id : null;
};

const splitKey = (key: string): string[] => /^([a-z]+)_([0-9a-z]+)_([\w-]+)$/.exec(key)?.slice(1) ?? [];

/** A new id of a request, as the `x-request-id` of its answer and in the log. */
export const newRequestId = (): string => randomTimeOrderedId(Date.now());
