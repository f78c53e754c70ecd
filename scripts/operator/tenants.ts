import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { confirm } from './confirm.ts';
import type { OpenContext } from './context.ts';
import { COMMAND, examples } from './examples.ts';
import { readObject } from './input.ts';
import { allOption, cursorOption, limitOption, showList } from './lists.ts';
import { column, textColumn } from './table.ts';

const COLUMNS = [
  column('slug'),
  textColumn('name'),
  column('status'),
  column('id'),
  column('created_at', 'created'),
  textColumn('domains'),
];

export const addTenantCommands = (program: CommandUnknownOpts, open: OpenContext): void => {
  const tenant = program.command('tenant').description('the companies whose customers are kept apart');

  tenant
    .command('list')
    .description('list the tenants, newest first')
    .addOption(limitOption)
    .addOption(cursorOption)
    .addOption(allOption)
    .addHelpText('after', examples('tenant list', 'tenant list --all --json'))
    .action((paging) => showList(open(), COLUMNS, { path: ['tenants'] }, paging));

  tenant
    .command('show')
    .description('show a tenant and its settings')
    .argument('<slug>')
    .addHelpText('after', examples('tenant show acme', 'tenant show acme --json > acme.json'))
    .action(async (slug) => {
      const { client, output } = open();
      output.record(await client.ask({ path: ['tenants', slug] }));
    });

  tenant
    .command('put')
    .description('create a tenant, or replace what is said of it: what the file leaves out gets its default')
    .argument('<slug>')
    .argument(
      '<file>',
      'a JSON object, whose members /docs of the service tells, or what show --json gives; - for standard input',
    )
    .addHelpText(
      'after',
      examples(
        `echo '{"name": "Acme", "origins": ["https://acme.example"]}' | ${COMMAND} tenant put acme -`,
        'tenant put acme acme.json',
      ),
    )
    .action(async (slug, file) => {
      const { client, output } = open();
      // Shown, but not for us to say.
      const { id, slug: shownSlug, created_at, updated_at, ...json } = await readObject(file);
      output.record(await client.ask({ method: 'PUT', path: ['tenants', slug], json }));
    });

  tenant
    .command('delete')
    .description('delete a tenant and all that it holds, customers and keys included')
    .argument('<slug>')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('tenant delete acme', 'tenant delete acme --yes'))
    .action(async (slug, { yes = false }) => {
      const { client, output } = open();
      await confirm(`This deletes the tenant ${slug} with all its customers, for good.`, slug, yes);
      await client.send({ method: 'DELETE', path: ['tenants', slug], query: { confirm: slug } });
      output.note(`The tenant ${slug} is deleted.`);
    });
};
