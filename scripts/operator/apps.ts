import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Item } from './client.ts';
import { confirm } from './confirm.ts';
import type { Context, OpenContext } from './context.ts';
import { readSeconds } from './durations.ts';
import { examples } from './examples.ts';
import { ServiceRefusal, WrongUsage } from './failures.ts';
import { allOption, cursorOption, itemsOf, limitOption, showList } from './lists.ts';
import { readNames } from './names.ts';
import { column, textColumn } from './table.ts';

const COLUMNS = [
  column('id'),
  textColumn('name'),
  textColumn('permissions'),
  column('superkey', 'super key'),
  column('created_at', 'created'),
];

const TOLD_ONCE = 'The super token is not shown again: keep it now where your back end keeps its secrets.';

const PERMISSIONS = 'passcode, nopasscode, sso, all_customers: with commas between';

const PLATFORM = 'where people are sent after signing in; may be repeated';

export const addAppCommands = (program: CommandUnknownOpts, open: OpenContext): void => {
  const app = program.command('app').description('the back ends that call for a tenant');

  app
    .command('list')
    .description('list the apps of a tenant, newest first')
    .argument('<slug>', 'of the tenant')
    .addOption(limitOption)
    .addOption(cursorOption)
    .addOption(allOption)
    .addHelpText('after', examples('app list acme'))
    .action((slug, paging) => showList(open(), COLUMNS, { path: ['tenants', slug, 'apps'] }, paging));

  app
    .command('show')
    .description('show an app')
    .argument('<slug>', 'of the tenant')
    .argument('<id>', 'of the app')
    .addHelpText('after', examples('app show acme app_01m7y2dnsjd33s517pzh55jzye'))
    .action(async (slug, id) => {
      const context = open();
      context.output.record(await findApp(context, slug, id));
    });

  app
    .command('create')
    .description('register an app; its super key and token are shown')
    .argument('<slug>', 'of the tenant')
    .requiredOption('--name <name>', 'what people call it')
    .option('--permissions <list>', PERMISSIONS, readNames)
    .option('--platform <name=url>', PLATFORM, addPlatform)
    .option('--no-query-credentials', 'take its credentials as headers alone')
    .addHelpText(
      'after',
      examples('app create acme --name Shop --permissions passcode,sso --platform web=https://acme.example/signed-in'),
    )
    .action(async (slug, { name, permissions, platform, queryCredentials }) => {
      const { client, output } = open();
      const json = { name, permissions, platforms: platform, query_credentials: queryCredentials };
      output.record(await client.ask({ method: 'POST', path: ['tenants', slug, 'apps'], json }));
      output.note(TOLD_ONCE);
    });

  app
    .command('update')
    .description('change an app; what is not named stays')
    .argument('<slug>', 'of the tenant')
    .argument('<id>', 'of the app')
    .option('--name <name>', 'what people call it')
    .option('--permissions <list>', PERMISSIONS, readNames)
    .option('--platform <name=url>', `${PLATFORM}, and replaces all`, addPlatform)
    .option('--query-credentials', 'take its credentials in the query string, too')
    .option('--no-query-credentials', 'take its credentials as headers alone')
    .addHelpText('after', examples('app update acme app_01m7y2dnsjd33s517pzh55jzye --permissions passcode'))
    .action(async (slug, id, { name, permissions, platform, queryCredentials }) => {
      const { client, output } = open();
      const json = { name, permissions, platforms: platform, query_credentials: queryCredentials };
      if (Object.values(json).every((value) => value === undefined)) throw new WrongUsage('Name what is to change.');
      output.record(await client.ask({ method: 'PATCH', path: ['tenants', slug, 'apps', id], json }));
    });

  app
    .command('rotate')
    .description('give an app a new super key and token, which are shown')
    .argument('<slug>', 'of the tenant')
    .argument('<id>', 'of the app')
    .option('--overlap <time>', 'how long the pairs from before stay valid: 45s, 30m, 24h, 7d', readSeconds, 0)
    .addHelpText('after', examples('app rotate acme app_01m7y2dnsjd33s517pzh55jzye --overlap 24h'))
    .action(async (slug, id, { overlap }) => {
      const { client, output } = open();
      const path = ['tenants', slug, 'apps', id, 'rotate'];
      output.record(await client.ask({ method: 'POST', path, json: { overlap } }));
      output.note(TOLD_ONCE);
    });

  app
    .command('delete')
    .description('remove an app; the customers that it created stay')
    .argument('<slug>', 'of the tenant')
    .argument('<id>', 'of the app')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('app delete acme app_01m7y2dnsjd33s517pzh55jzye'))
    .action(async (slug, id, { yes = false }) => {
      const { client, output } = open();
      await confirm(`This removes the app ${id}, and the key pairs that customers have with it.`, 'yes', yes);
      await client.send({ method: 'DELETE', path: ['tenants', slug, 'apps', id] });
      output.note(`The app ${id} is removed.`);
    });
};

/** An app is not to be had alone: it is looked for in the list. */
const findApp = async (context: Context, slug: string, id: string): Promise<Item> => {
  for await (const app of itemsOf(context, { path: ['tenants', slug, 'apps'] })) {
    if (app.id === id) return app;
  }
  throw new ServiceRefusal({ status: 404, code: 'app_not_found', message: 'There is no such app.' }, null);
};

type Platform = { name: string; url: string };

const addPlatform = (typed: string, before: Platform[] | undefined): Platform[] => {
  const at = typed.indexOf('=');
  if (at < 1) throw new WrongUsage(`"${typed}" is no platform: it has to be like web=https://acme.example/signed-in`);
  return [...(before ?? []), { name: typed.slice(0, at), url: typed.slice(at + 1) }];
};
