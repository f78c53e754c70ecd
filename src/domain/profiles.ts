import type { Profile, ProfileStore } from '../storage/profiles.ts';
import { isAlive, type PresentedToken } from './access-tokens.ts';
import type { AwsSecrets, AwsVault } from './aws-credentials.ts';
import { Refusal } from './refusal.ts';

export type { Member, Profile } from '../storage/profiles.ts';

/** How long after a sign-in secrets are told. */
const FRESH_MS = 15 * 60_000;

type Dependencies = { store: ProfileStore; vault: AwsVault; now: () => number };

/** What a signed-in user sees of itself and its customer (contract 2, self). */
export const createProfiles = ({ store, vault, now }: Dependencies) => {
  /** Refuses a dead token with `unauthenticated`. */
  const find = async (token: PresentedToken): Promise<Profile> => {
    const profile = await store.find(token);
    if (!profile || !isAlive(token, profile.user)) throw new Refusal('unauthenticated');
    return profile;
  };

  return {
    find,

    /**
     * As `find`, with the user's secrets for a cloud of its own. Refuses with `reauthentication_required` whoever signed
     * in longer ago than 15 minutes, however often the token was refreshed since.
     */
    findWithSecrets: async (token: PresentedToken): Promise<{ profile: Profile; secrets: AwsSecrets | null }> => {
      const profile = await find(token);
      if (token.authenticatedAt + FRESH_MS <= now()) throw new Refusal('reauthentication_required');
      const { user, awsCredentials } = profile;
      return { profile, secrets: awsCredentials && (await vault.open(user.id, awsCredentials)) };
    },
  };
};
