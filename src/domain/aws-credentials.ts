import type { TenantId, UserId } from '../crypto/ids.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { AwsCredentials } from '../storage/profiles.ts';

/** A user's access to a cloud of its own, as it is told to us: what is undefined stays, null takes it away. */
export type AwsAccess = {
  accessKey?: string | null | undefined;
  secretAccess?: string | null | undefined;
  cmkId?: string | null | undefined;
  region?: string | null | undefined;
  privateKey?: string | null | undefined;
  publicKey?: string | null | undefined;
  userArn?: string | null | undefined;
};

/** What is secret of it, opened. */
export type AwsSecrets = { secretAccess: string | null; privateKey: string | null };

type Dependencies = { tenantId: TenantId; sealer: () => Promise<Sealer> };

/** The secrets of users for a cloud of their own, at rest sealed with the tenant's data key, for one user and member. */
export const createAwsVault = ({ tenantId, sealer }: Dependencies) => {
  const contextOf = (userId: UserId, member: keyof AwsSecrets) => `AWS ${member} of ${userId} in ${tenantId}`;

  const seal = async (userId: UserId, member: keyof AwsSecrets, secret: string | null | undefined) =>
    typeof secret === 'string' ? (await sealer()).seal(secret, contextOf(userId, member)) : secret;

  const open = async (userId: UserId, member: keyof AwsSecrets, sealed: string | null) =>
    sealed === null ? null : (await sealer()).open(sealed, contextOf(userId, member));

  return {
    /** The members that are given, ready to be stored. */
    seal: async (
      userId: UserId,
      { secretAccess, privateKey, ...open }: AwsAccess,
    ): Promise<Partial<AwsCredentials>> => {
      const sealed = {
        ...open,
        sealedSecretAccess: await seal(userId, 'secretAccess', secretAccess),
        sealedPrivateKey: await seal(userId, 'privateKey', privateKey),
      };
      return Object.fromEntries(Object.entries(sealed).filter(([, value]) => value !== undefined));
    },

    open: async (userId: UserId, credentials: AwsCredentials): Promise<AwsSecrets> => ({
      secretAccess: await open(userId, 'secretAccess', credentials.sealedSecretAccess),
      privateKey: await open(userId, 'privateKey', credentials.sealedPrivateKey),
    }),
  };
};

export type AwsVault = ReturnType<typeof createAwsVault>;

/** New credentials with these members, and null for all others. */
export const newAwsCredentials = (members: Partial<AwsCredentials>, createdAt: number): AwsCredentials => ({
  accessKey: null,
  sealedSecretAccess: null,
  cmkId: null,
  region: null,
  sealedPrivateKey: null,
  publicKey: null,
  userArn: null,
  createdAt,
  ...members,
});
