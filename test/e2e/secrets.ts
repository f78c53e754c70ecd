import path from 'node:path';
import { ensureSecrets } from '../../scripts/local/secrets.ts';

/** Makes the secrets of this machine before services that start beside each other would each make their own. */
export const setup = (): void => {
  ensureSecrets(path.join(import.meta.dirname, '../../.dev.vars'));
};
