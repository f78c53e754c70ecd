import path from 'node:path';
import { parseArgs } from 'node:util';

export const HELP = `Brings the service to a Cloudflare account: all that it needs is made, or found as it is, in the same order every time.

  npm run deploy -- environments/production.json [--dry-run] [--gradual] [--replace NAME] [--url URL]

  the file        what the environment is to be: docs/deploy.md says what stands in it
  --dry-run       says what would be done, and bundles the Worker; nothing is changed anywhere
  --gradual       uploads the new version, but sends nobody to it yet; how to is printed
  --replace NAME  puts this secret as the file of secrets has it now, though one is there: OPERATOR_TOKEN, MAIL_URL
                  or SMS_URL (can be given more than once)
  --url URL       where the service is asked in the end whether it is well, if not at its domain

Cloudflare takes CLOUDFLARE_API_TOKEN, or whoever is signed in by: npx wrangler login
`;

/** MASTER_KEY is none of them: with another one nothing could be opened that was sealed before. */
const REPLACEABLE = ['OPERATOR_TOKEN', 'MAIL_URL', 'SMS_URL'];

export type Options = {
  /** The file that describes the environment. */
  file: string;
  isDryRun: boolean;
  isGradual: boolean;
  replaced: ReadonlySet<string>;
  url: string | null;
};

/** The options typed, or null when help was asked for. Files are those of the caller. */
export const readOptions = (typed: string[], cwd: string): Options | null => {
  const { values, positionals } = parseArgs({
    args: typed,
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', default: false },
      gradual: { type: 'boolean', default: false },
      replace: { type: 'string', multiple: true, default: [] },
      url: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) {
    throw new Error('One environment at a time, by its file: npm run deploy -- environments/production.json');
  }
  const stranger = values.replace.find((name) => !REPLACEABLE.includes(name));
  if (stranger === 'MASTER_KEY') throw new Error('MASTER_KEY is never replaced: whatever it sealed would be lost');
  if (stranger !== undefined) throw new Error(`--replace: ${stranger} is none of ${REPLACEABLE.join(', ')}`);
  if (values.url !== undefined && !URL.canParse(values.url)) throw new Error('--url must be a URL');
  return {
    file: path.resolve(cwd, file),
    isDryRun: values['dry-run'],
    isGradual: values.gradual,
    replaced: new Set(values.replace),
    url: values.url ?? null,
  };
};
