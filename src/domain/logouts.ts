import type { Federation } from './federation.ts';
import type { Sessions } from './sessions.ts';

type Dependencies = {
  sessions: Sessions;
  federation: Federation;
  /** The page that a browser goes to in the end. */
  afterwards: string;
};

/** Signing out (contract 2, logout). */
export const createLogouts = ({ sessions, federation, afterwards }: Dependencies) => ({
  afterwards,

  /** Ends the session of a refresh token, if there is one, and gives where the browser goes: to its identity provider. */
  end: async (refreshToken: string | null): Promise<string> => {
    const ended = refreshToken === null ? null : await sessions.end(refreshToken);
    return (ended && (await federation.logoutUrl(ended, afterwards))) ?? afterwards;
  },
});
