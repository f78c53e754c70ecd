import { Command } from '@commander-js/extra-typings';
import { addAppCommands } from './apps.ts';
import { createClient } from './client.ts';
import { addCollectionCommands } from './collections.ts';
import type { OpenContext } from './context.ts';
import { addCustomerCommands } from './customers.ts';
import { addEventCommands } from './events.ts';
import { COMMAND } from './examples.ts';
import { addExportCommand } from './export.ts';
import { addImportCommand } from './import.ts';
import { addKeyCommands } from './keys.ts';
import { createOutput } from './output.ts';
import { findTarget } from './target.ts';
import { addTenantCommands } from './tenants.ts';
import { addWebhookCommands } from './webhooks.ts';

const HELP = `
The operator token comes from GATEHOUSE_OPERATOR_TOKEN; for a service on this
machine .dev.vars will do. Programs: npm run --silent operator -- … --json

Exit codes:
  0    done
  1    refused by the service, which says why
  2    wrong usage: an option, a file, or a confirmation that was not given
  3    the service is not to be reached, or its answer broke off
  4    imported, but for lines that were refused
  130  interrupted`;

/** All commands. They throw what went wrong. */
export const createProgram = (interruption: AbortSignal) => {
  const program = new Command()
    .name(COMMAND)
    .description('Runs a Gatehouse service: its tenants, their apps, customers, settings and audit log.')
    .option('--url <url>', 'the service; otherwise GATEHOUSE_URL, or http://localhost:8787')
    .option('--json', 'answers as JSON, for programs')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help says more)')
    .helpCommand(false)
    .exitOverride()
    .addHelpText('after', HELP);

  const open: OpenContext = () => {
    const { url, json = false } = program.opts();
    return {
      client: createClient(findTarget(url, process.env), interruption),
      output: createOutput(json),
      interruption,
    };
  };
  addTenantCommands(program, open);
  addAppCommands(program, open);
  addCustomerCommands(program, open);
  addImportCommand(program, open);
  addExportCommand(program, open);
  addEventCommands(program, open);
  addKeyCommands(program, open);
  addWebhookCommands(program, open);
  addCollectionCommands(program, open);
  for (const command of program.commands) command.helpCommand(false);
  return program;
};
