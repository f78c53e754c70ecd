import * as z from 'zod';
import type { Processes } from '../local/processes.ts';
import { type Account, createAccount, findAccountId } from './account.ts';
import { createCloudflare } from './cloudflare.ts';
import { createZones, type Zones } from './zones.ts';

export type SignedIn = { account: Account; zones: Zones };

/** The account that a token reaches: the one of the environment variable, or of whoever is signed in with wrangler. */
export const signIn = async (processes: Pick<Processes, 'run'>, accountId: string | null): Promise<SignedIn | null> => {
  const token = process.env.CLOUDFLARE_API_TOKEN || (await tokenOfWrangler(processes));
  if (token === null) return null;
  const cloudflare = createCloudflare(token);
  const id = await findAccountId(cloudflare, accountId);
  return { account: createAccount(cloudflare, id), zones: createZones(cloudflare, id) };
};

const tokenOfWrangler = async (processes: Pick<Processes, 'run'>): Promise<string | null> => {
  try {
    const output = await processes.run('wrangler', ['auth', 'token', '--json']);
    return z.object({ token: z.string() }).parse(JSON.parse(output)).token;
  } catch {
    // Nobody is signed in.
    return null;
  }
};

/** What a dry run sees where nobody is signed in: an account with nothing in it. */
export const freshAccount: SignedIn = {
  account: {
    id: '',
    findDatabase: async () => null,
    createDatabase: () => refuse(),
    setReadReplication: () => refuse(),
    query: () => refuse(),
    bookmarkOf: () => refuse(),
    findNamespace: async () => null,
    createNamespace: () => refuse(),
    findQueue: async () => null,
    createQueue: () => refuse(),
    findWorkerOf: async () => null,
    findSecretNames: async () => null,
  },
  zones: {
    find: async () => null,
    listRecords: async () => [],
    listHostsBelow: async () => [],
    createRecord: () => refuse(),
  },
};

const refuse = (): never => {
  throw new Error('nobody is signed in');
};
