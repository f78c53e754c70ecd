import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { confirm } from './confirm.ts';
import type { OpenContext } from './context.ts';
import { examples } from './examples.ts';
import { readObject } from './input.ts';
import { showList } from './lists.ts';
import { type Column, column, textColumn } from './table.ts';

/** What a tenant has a few of, each by a name. */
type Collection = {
  noun: string;
  path: string;
  /** The member that is its name. */
  key: string;
  columns: readonly Column[];
  /** The name of one. */
  example: string;
  deletion: string;
};

/** A collection of what is made out of a JSON object. */
type ObjectCollection = Collection & { description: string };

const steps: Column = {
  title: 'steps',
  of: ({ steps: listed }) =>
    Array.isArray(listed) ? listed.map((step: unknown) => new Map(Object.entries(Object(step))).get('kind')) : null,
  shrinksTo: 12,
};

const COLLECTIONS: readonly ObjectCollection[] = [
  {
    noun: 'connection',
    path: 'connections',
    key: 'name',
    description: "the companies' identity providers: OpenID Connect or SAML",
    columns: [column('name'), column('type'), textColumn('domains'), column('signup'), column('updated_at', 'changed')],
    example: 'okta',
    deletion: 'removes the connection, and who its users are for the provider',
  },
  {
    noun: 'provider',
    path: 'providers',
    key: 'name',
    description: "what a tenant's forms and apps let people sign in with",
    columns: [column('name'), column('type'), column('signup'), column('updated_at', 'changed')],
    example: 'google',
    deletion: 'removes the provider, and who people are for it',
  },
  {
    noun: 'flow',
    path: 'flows',
    key: 'name',
    description: 'what is done after a form or app has created or changed an account',
    columns: [column('name'), steps],
    example: 'newsletter',
    deletion: 'takes the definition of the flow back',
  },
  {
    noun: 'subscription',
    path: 'subscriptions',
    key: 'id',
    description: 'what customers can subscribe to',
    columns: [column('id'), textColumn('name')],
    example: 'news',
    deletion: 'takes the subscription back, from customers that have it, too',
  },
];

export const addCollectionCommands = (program: CommandUnknownOpts, open: OpenContext): void => {
  for (const collection of COLLECTIONS) {
    const command = program.command(collection.noun).description(collection.description);
    addNamedCommands(command, open, collection);
    addPutCommand(command, open, collection);
  }
};

const addPutCommand = (
  command: CommandUnknownOpts,
  open: OpenContext,
  { noun, path, key, example }: ObjectCollection,
): void => {
  command
    .command('put')
    .description(`make a ${noun}, or replace what is said of it`)
    .argument('<slug>', 'of the tenant')
    .argument(`<${key}>`)
    .argument('<file>', 'a JSON object, whose members /docs of the service tells; - for standard input')
    .addHelpText('after', examples(`${noun} put acme ${example} ${example}.json`))
    .action(async (slug, name, file) => {
      const { client, output } = open();
      // Shown, but not for us to say.
      const { created_at, updated_at, ...json } = await readObject(String(file));
      if (json[key] === name) delete json[key];
      output.record(await client.ask({ method: 'PUT', path: ['tenants', slug, path, String(name)], json }));
    });
};

/** Adds what can be done with each of a collection, however it is made: `list`, `show` and `delete`. */
export const addNamedCommands = (
  command: CommandUnknownOpts,
  open: OpenContext,
  { noun, path, key, columns, example, deletion }: Collection,
): void => {
  const argument = `<${key}>`;

  command
    .command('list')
    .description(`list the ${noun}s of a tenant`)
    .argument('<slug>', 'of the tenant')
    .addHelpText('after', examples(`${noun} list acme`))
    .action(async (slug) => {
      await showList(open(), columns, { path: ['tenants', slug, path] }, { all: true });
    });

  command
    .command('show')
    .description(`show a ${noun}, without its secrets`)
    .argument('<slug>', 'of the tenant')
    .argument(argument)
    .addHelpText('after', examples(`${noun} show acme ${example}`))
    .action(async (slug, name) => {
      const { client, output } = open();
      output.record(await client.ask({ path: ['tenants', slug, path, String(name)] }));
    });

  command
    .command('delete')
    .description(deletion.replace(/^removes/, 'remove').replace(/^takes/, 'take'))
    .argument('<slug>', 'of the tenant')
    .argument(argument)
    .option('--yes', 'do not ask')
    .addHelpText('after', examples(`${noun} delete acme ${example}`))
    .action(async (slug, name, { yes = false }) => {
      const { client, output } = open();
      await confirm(`This ${deletion}.`, 'yes', yes);
      await client.send({ method: 'DELETE', path: ['tenants', slug, path, String(name)] });
      output.note(`The ${noun} ${name} is gone.`);
    });
};
