import { invalidAt } from './refusal.ts';

/** Refuses with `validation_failed` a URL of the input, at this path in it, that the Worker may not be told to call. */
export const refuseUncallable = (isCallable: (url: string) => boolean, path: string, url: string): void => {
  if (!isCallable(url)) throw invalidAt(path, 'must be an https URL of a public host');
};
