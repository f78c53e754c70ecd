import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import type { OpenContext } from './context.ts';
import { readTime } from './durations.ts';
import { examples } from './examples.ts';
import { followEvents } from './follow.ts';
import { allOption, cursorOption, limitOption, showList } from './lists.ts';
import { column, textColumn } from './table.ts';

const COLUMNS = [
  column('at'),
  column('type'),
  column('subject'),
  column('actor'),
  column('ip'),
  { ...textColumn('data'), shrinksTo: 24 },
  textColumn('user_agent', 'user agent'),
  column('id'),
];

export const addEventCommands = (program: CommandUnknownOpts, open: OpenContext): void => {
  program
    .command('events')
    .description('show the audit log of a tenant, newest first')
    .argument('<slug>', 'of the tenant')
    .option('--type <type>', 'of this type, or of a kind: customer.*')
    .option('--subject <id>', 'about this customer, user, app …')
    .addOption(
      new Option('--since <time>', '2026-05-01, 2026-05-01T12:00:00Z, or 24h for that long ago').argParser(readTime),
    )
    .addOption(limitOption)
    .addOption(cursorOption)
    .addOption(allOption)
    .addOption(
      new Option('--follow', 'go on with what happens, oldest first, until Ctrl-C').conflicts(['cursor', 'all']),
    )
    .addHelpText(
      'after',
      examples('events acme --since 24h', `events acme --type 'login.*' --follow`, 'events acme --all --json'),
    )
    .action(async (slug, { type, subject, since, follow, ...paging }) => {
      const call = { path: ['tenants', slug, 'events'], query: { type, subject, since } };
      if (follow) return followEvents(open(), call, paging.limit ?? null);
      return showList(open(), COLUMNS, call, paging);
    });
};
