import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { confirm } from './confirm.ts';
import type { OpenContext } from './context.ts';
import { examples } from './examples.ts';

export const addKeyCommands = (program: CommandUnknownOpts, open: OpenContext): void => {
  const keys = program.command('keys').description('the keys that a tenant signs access tokens with');

  keys
    .command('rotate')
    .description('sign with a new key; tokens of the one from before stay good until they expire')
    .argument('<slug>', 'of the tenant')
    .option('--retire', 'drop the keys from before now: every token that they signed is dead')
    .option('--yes', 'do not ask before --retire')
    .addHelpText('after', examples('keys rotate acme', 'keys rotate acme --retire'))
    .action(async (slug, { retire = false, yes = false }) => {
      const { client, output } = open();
      if (retire) await confirm(`This ends every access token of ${slug} at once.`, 'yes', yes);
      output.record(await client.ask({ method: 'POST', path: ['tenants', slug, 'keys', 'rotate'], json: { retire } }));
    });
};
