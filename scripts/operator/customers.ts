import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { confirm } from './confirm.ts';
import type { Context, OpenContext } from './context.ts';
import { examples } from './examples.ts';
import { ServiceRefusal } from './failures.ts';
import { allOption, cursorOption, itemsOf, limitOption, showList } from './lists.ts';
import { type Column, column, textColumn } from './table.ts';

const COLUMNS = [
  column('id'),
  { ...textColumn('email'), shrinksTo: 24 },
  column('status'),
  textColumn('company'),
  textColumn('name'),
  column('created_at', 'created'),
];

const USER_COLUMNS: Column[] = [
  column('id'),
  { ...textColumn('email'), shrinksTo: 24 },
  column('owner'),
  { title: 'activated', of: ({ activated_at }) => activated_at ?? 'not yet' },
  column('has_password', 'password'),
  textColumn('given_name', 'given name'),
  textColumn('family_name', 'family name'),
];

const SESSION_COLUMNS: Column[] = [
  column('id'),
  column('last_used_at', 'last used'),
  column('provider'),
  column('ip'),
  textColumn('place'),
  textColumn('user_agent', 'user agent'),
  column('user'),
  column('expires_at', 'expires'),
];

const CUSTOMER = 'its id or its email address';

const ADDRESS = 'ada@example.com';

export const addCustomerCommands = (program: CommandUnknownOpts, open: OpenContext): void => {
  const customer = program.command('customer').description('the accounts of a tenant, their users and sessions');

  customer
    .command('list')
    .description('list the customers of a tenant, newest first')
    .argument('<slug>', 'of the tenant')
    .option('--q <text>', 'whose address, company or name begins so')
    .option('--email <address>', 'whose address is this, or that of one of whose users')
    .addOption(new Option('--status <status>').choices(['active', 'disabled']))
    .addOption(limitOption)
    .addOption(cursorOption)
    .addOption(allOption)
    .addHelpText('after', examples('customer list acme --q ada', 'customer list acme --status disabled --all --json'))
    .action((slug, { q, email, status, ...paging }) =>
      showList(open(), COLUMNS, { path: ['tenants', slug, 'customers'], query: { q, email, status } }, paging),
    );

  customer
    .command('show')
    .description('show a customer')
    .argument('<slug>', 'of the tenant')
    .argument('<customer>', CUSTOMER)
    .addHelpText('after', examples(`customer show acme ${ADDRESS}`))
    .action(async (slug, typed) => {
      const context = open();
      const { client, output } = context;
      output.record(await client.ask({ path: await pathOf(context, slug, typed) }));
    });

  for (const [name, status, what] of [
    ['disable', 'disabled', 'let a customer sign in no more, and end its sessions'],
    ['enable', 'active', 'let a disabled customer sign in again'],
  ] as const) {
    customer
      .command(name)
      .description(what)
      .argument('<slug>', 'of the tenant')
      .argument('<customer>', CUSTOMER)
      .addHelpText('after', examples(`customer ${name} acme ${ADDRESS}`))
      .action(async (slug, typed) => {
        const context = open();
        const { client, output } = context;
        const path = await pathOf(context, slug, typed);
        output.record(await client.ask({ method: 'PATCH', path, json: { status } }));
      });
  }

  customer
    .command('delete')
    .description('delete a customer for good, with its users')
    .argument('<slug>', 'of the tenant')
    .argument('<customer>', CUSTOMER)
    .option('--yes', 'do not ask')
    .addHelpText('after', examples(`customer delete acme ${ADDRESS}`))
    .action(async (slug, typed, { yes = false }) => {
      const context = open();
      const { client, output } = context;
      const path = await pathOf(context, slug, typed);
      await confirm(`This deletes the customer ${typed} of ${slug}, for good.`, 'yes', yes);
      await client.send({ method: 'DELETE', path });
      output.note(`The customer ${typed} is deleted.`);
    });

  customer
    .command('users')
    .description('list the people who sign in to a customer')
    .argument('<slug>', 'of the tenant')
    .argument('<customer>', CUSTOMER)
    .addOption(limitOption)
    .addOption(cursorOption)
    .addOption(allOption)
    .addHelpText('after', examples(`customer users acme ${ADDRESS}`))
    .action(async (slug, typed, paging) => {
      const context = open();
      const path = await pathOf(context, slug, typed);
      await showList(context, USER_COLUMNS, { path: [...path, 'users'] }, paging);
    });

  customer
    .command('resend-activation')
    .description('mail a user the link to choose a password again')
    .argument('<slug>', 'of the tenant')
    .argument('<customer>', CUSTOMER)
    .argument('<user>', 'its id, as `customer users` tells it')
    .addHelpText('after', examples(`customer resend-activation acme ${ADDRESS} usr_01m7y2dnsjd33s517pzh55jzye`))
    .action(async (slug, typed, user) => {
      const context = open();
      const { client, output } = context;
      const path = await pathOf(context, slug, typed);
      await client.send({ method: 'POST', path: [...path, 'users', user, 'activation'], json: {} });
      output.note('The mail is on its way.');
    });

  customer
    .command('sessions')
    .description('list where a customer is signed in')
    .argument('<slug>', 'of the tenant')
    .argument('<customer>', CUSTOMER)
    .addOption(limitOption)
    .addOption(cursorOption)
    .addOption(allOption)
    .addHelpText('after', examples(`customer sessions acme ${ADDRESS}`))
    .action(async (slug, typed, paging) => {
      const context = open();
      const path = await pathOf(context, slug, typed);
      await showList(context, SESSION_COLUMNS, { path: [...path, 'sessions'] }, paging);
    });

  customer
    .command('revoke-session')
    .description('sign a customer out in one place')
    .argument('<slug>', 'of the tenant')
    .argument('<customer>', CUSTOMER)
    .argument('<id>', 'of the session')
    .addHelpText('after', examples(`customer revoke-session acme ${ADDRESS} ses_01m7y2dnsjd33s517pzh55jzye`))
    .action(async (slug, typed, id) => {
      const context = open();
      const { client, output } = context;
      const path = await pathOf(context, slug, typed);
      await client.send({ method: 'DELETE', path: [...path, 'sessions', id] });
      output.note(`The session ${id} has ended.`);
    });

  customer
    .command('revoke-sessions')
    .description('sign a customer out everywhere')
    .argument('<slug>', 'of the tenant')
    .argument('<customer>', CUSTOMER)
    .addHelpText('after', examples(`customer revoke-sessions acme ${ADDRESS}`))
    .action(async (slug, typed) => {
      const context = open();
      const { client, output } = context;
      const path = await pathOf(context, slug, typed);
      await client.send({ method: 'DELETE', path: [...path, 'sessions'] });
      output.note('All its sessions have ended.');
    });
};

/** The path of a customer, who may be named by the address: its own, for what is done to it is done to all its users. */
const pathOf = async (context: Context, slug: string, typed: string): Promise<string[]> => {
  const list = ['tenants', slug, 'customers'];
  if (!typed.includes('@')) return [...list, typed];
  for await (const { id, email } of itemsOf(context, { path: list, query: { email: typed } })) {
    const isOwn = typeof email === 'string' && email.toLowerCase() === typed.trim().toLowerCase();
    if (isOwn && typeof id === 'string') return [...list, id];
  }
  throw new ServiceRefusal({ status: 404, code: 'customer_not_found', message: 'User not found' }, null);
};
