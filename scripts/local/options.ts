import path from 'node:path';
import { parseArgs } from 'node:util';
import { parsePort } from './ports.ts';

export const HELP = `Starts Gatehouse on this machine: the Worker, a demo tenant with an app, and mailboxes for mail and texts.

  --port N           where the Worker listens (8787)
  --smtp-port N      where the mailbox takes mail (1025)
  --mailbox-port N   where the mailbox is read, in a browser (1080)
  --texts-port N     where text messages are taken, and read in a browser (1081)
  --state DIR        where the data is kept (.wrangler/state)
`;

export type Options = { port: number; smtpPort: number; mailboxPort: number; textsPort: number; state: string };

/** The options typed, or null when help was asked for. A relative folder is one of `root`. */
export const readOptions = (root: string): Options | null => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8787' },
      'smtp-port': { type: 'string', default: '1025' },
      'mailbox-port': { type: 'string', default: '1080' },
      'texts-port': { type: 'string', default: '1081' },
      state: { type: 'string', default: '.wrangler/state' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  return {
    port: parsePort('port', values.port),
    smtpPort: parsePort('smtp-port', values['smtp-port']),
    mailboxPort: parsePort('mailbox-port', values['mailbox-port']),
    textsPort: parsePort('texts-port', values['texts-port']),
    state: path.resolve(root, values.state),
  };
};
