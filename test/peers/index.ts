import type { TestProject } from 'vitest/node';
import { startMailbox } from './mailbox.ts';
import { startStubbornServers } from './stubborn.ts';

type MailUrls = Awaited<ReturnType<typeof startMailbox>>['urls'] &
  Awaited<ReturnType<typeof startStubbornServers>>['urls'];

declare module 'vitest' {
  interface ProvidedContext {
    mailUrls: MailUrls;
  }
}

/** Starts the servers that the Worker talks to in the tests: real ones, outside workerd. */
export const setup = async (project: TestProject) => {
  const [mailbox, stubborn] = await Promise.all([startMailbox(), startStubbornServers()]);
  project.provide('mailUrls', { ...mailbox.urls, ...stubborn.urls });
  return () => Promise.all([mailbox.close(), stubborn.close()]);
};
