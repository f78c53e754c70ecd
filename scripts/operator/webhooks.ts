import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { addNamedCommands } from './collections.ts';
import type { OpenContext } from './context.ts';
import { examples } from './examples.ts';
import { EXIT } from './failures.ts';
import { readText } from './input.ts';
import { allOption, cursorOption, limitOption, showList } from './lists.ts';
import { readNames } from './names.ts';
import { column, textColumn } from './table.ts';

const COLUMNS = [
  column('name'),
  { ...textColumn('url', 'URL'), shrinksTo: 24 },
  column('status'),
  textColumn('events'),
  column('disabled_reason', 'why disabled'),
  column('updated_at', 'changed'),
];

const DELIVERY_COLUMNS = [
  column('id'),
  column('status'),
  column('attempts'),
  column('last_status', 'answer'),
  column('type'),
  textColumn('last_error', 'fault'),
  column('created_at', 'created'),
  column('next_attempt_at', 'next attempt'),
];

const TOLD_ONCE = 'The secret is not shown again: keep it now where the receiver checks signatures.';

export const addWebhookCommands = (program: CommandUnknownOpts, open: OpenContext): void => {
  const webhook = program.command('webhook').description('where the events of a tenant are sent');

  addNamedCommands(webhook, open, {
    noun: 'webhook',
    path: 'webhooks',
    key: 'name',
    columns: COLUMNS,
    example: 'crm',
    deletion: 'removes the webhook, and what is still to be delivered to it',
  });

  webhook
    .command('put')
    .description('make a webhook, or replace what is said of it; a new one gets a secret, which is shown')
    .argument('<slug>', 'of the tenant')
    .argument('<name>')
    .argument('<url>', 'where the events are sent')
    .requiredOption('--events <types>', 'with commas between; customer.* for all of a kind, * for all', readNames)
    .option('--disabled', 'send nothing for now')
    .option('--secret-file <file>', 'its secret is in there, - for standard input; otherwise the service makes one')
    .addHelpText('after', examples(`webhook put acme crm https://crm.example/hook --events 'customer.*,email.changed'`))
    .action(async (slug, name, url, { events, disabled, secretFile }) => {
      const { client, output } = open();
      const secret = secretFile === undefined ? undefined : (await readText(secretFile)).trim();
      const json = { url, events, status: disabled ? 'disabled' : 'active', secret };
      const answer = await client.ask({ method: 'PUT', path: ['tenants', slug, 'webhooks', name], json });
      output.record(answer);
      if (answer.secret !== undefined) output.note(TOLD_ONCE);
    });

  webhook
    .command('rotate')
    .description('give a webhook a new secret, which is shown; the one from before signs beside it for 24 hours')
    .argument('<slug>', 'of the tenant')
    .argument('<name>')
    .addHelpText('after', examples('webhook rotate acme crm'))
    .action(async (slug, name) => {
      const { client, output } = open();
      const path = ['tenants', slug, 'webhooks', name, 'rotate'];
      output.record(await client.ask({ method: 'POST', path, json: {} }));
      output.note(TOLD_ONCE);
    });

  webhook
    .command('test')
    .description('send a message at once; when it is not taken, this ends with 1')
    .argument('<slug>', 'of the tenant')
    .argument('<name>')
    .addHelpText('after', examples('webhook test acme crm'))
    .action(async (slug, name) => {
      const { client, output } = open();
      const path = ['tenants', slug, 'webhooks', name, 'test'];
      const answer = await client.ask({ method: 'POST', path, json: {} });
      output.record(answer);
      if (answer.delivered !== true) process.exitCode = EXIT.refused;
    });

  webhook
    .command('deliveries')
    .description('list what was sent and what is still to be, newest first')
    .argument('<slug>', 'of the tenant')
    .argument('<name>')
    .addOption(new Option('--status <status>').choices(['pending', 'delivered', 'failed']))
    .addOption(limitOption)
    .addOption(cursorOption)
    .addOption(allOption)
    .addHelpText('after', examples('webhook deliveries acme crm --status failed'))
    .action((slug, name, { status, ...paging }) =>
      showList(
        open(),
        DELIVERY_COLUMNS,
        { path: ['tenants', slug, 'webhooks', name, 'deliveries'], query: { status } },
        paging,
      ),
    );

  webhook
    .command('redeliver')
    .description('send a message again')
    .argument('<slug>', 'of the tenant')
    .argument('<name>')
    .argument('<id>', 'of the delivery')
    .addHelpText('after', examples('webhook redeliver acme crm evt_01m7y2dnsjd33s517pzh55jzye'))
    .action(async (slug, name, id) => {
      const { client, output } = open();
      const path = ['tenants', slug, 'webhooks', name, 'deliveries', id, 'redeliver'];
      output.record(await client.ask({ method: 'POST', path, json: {} }));
    });
};
