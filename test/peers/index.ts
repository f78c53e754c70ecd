import type { TestProject } from 'vitest/node';
import { startMailbox } from './mailbox.ts';

type MailUrls = Awaited<ReturnType<typeof startMailbox>>['urls'];

declare module 'vitest' {
  interface ProvidedContext {
    mailUrls: MailUrls;
  }
}

/** Starts the servers that the Worker talks to in the tests: real ones, outside workerd. */
export const setup = async (project: TestProject) => {
  const mailbox = await startMailbox();
  project.provide('mailUrls', mailbox.urls);
  return () => mailbox.close();
};
