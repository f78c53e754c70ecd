import type { Account } from './account.ts';
import { CloudflareError } from './cloudflare.ts';
import type { Environment } from './environment.ts';
import { StepError, type Steps } from './steps.ts';
import { NOWHERE, type Zone, type Zones } from './zones.ts';

type Reached = { account: Account; zones: Zones };

const ZONE_ADVICE = 'The token needs Zone: Read, and the site must have been added to the account.';
const DNS_ADVICE = 'The token needs DNS: Edit.';

/**
 * The zone of the environment's domain, with a record for the tenants' hosts. The other hosts are made with the version,
 * if nothing else has them: wrangler would take them from it without asking. Null: there is none in a dry run.
 */
export const ensureHosts = async (
  steps: Steps,
  reached: Reached,
  environment: Environment,
  worker: string,
  isDryRun: boolean,
): Promise<Zone | null> => {
  const { account, zones } = reached;
  const { domain, hasWildcard, hosts } = environment;
  if (domain.endsWith('.workers.dev')) return null;
  const find = async (host: string): Promise<Zone | null> => {
    const zone = await steps.attempt('zone', ZONE_ADVICE, () => zones.find(host));
    if (!zone && !isDryRun)
      throw new StepError(`zone failed: the account has none that ${host} lies in.\n${ZONE_ADVICE}`);
    return zone;
  };
  const zone = await find(domain);
  steps.say('zone', zone ? `${zone.name}: there already` : `of ${domain}: must be there already`);
  for (const host of [domain, ...hosts]) {
    const hostZone = host === domain ? zone : await find(host);
    await steps.attempt('host', DNS_ADVICE, () => tellOfHost(steps, account, zones, hostZone, host, worker));
  }
  if (hasWildcard) {
    await steps.attempt('DNS', DNS_ADVICE, () => refuseToTakeHosts(reached, zone, environment, worker));
    await ensureRecord(steps, zones, zone, `*.${domain}`);
  }
  return zone;
};

// The route of the wildcard comes before whatever else answers there.
const refuseToTakeHosts = async (
  { account, zones }: Reached,
  zone: Zone | null,
  { domain, hosts }: Environment,
  worker: string,
): Promise<void> => {
  const found = zone && (await unlessForbidden(zones.listHostsBelow(zone, domain)));
  if (found === null || found === 'forbidden') return;
  const others: string[] = [];
  for (const { host, content } of found) {
    if (host === `*.${domain}` || hosts.includes(host)) continue;
    const owner = await account.findWorkerOf(host);
    if (owner !== null ? owner !== worker : content !== NOWHERE) others.push(host);
  }
  if (others.length === 0) return;
  throw new StepError(
    `DNS failed: the wildcard *.${domain} would take ${others.join(', ')} from what is there now.\n` +
      'Choose a domain below which there is nothing else, or set "wildcard" to false and name the tenants\' hosts in "hosts".',
  );
};

const tellOfHost = async (
  { say }: Steps,
  account: Account,
  zones: Zones,
  zone: Zone | null,
  host: string,
  worker: string,
): Promise<void> => {
  const owner = await account.findWorkerOf(host);
  if (owner === worker) return say('host', `${host}: there already`);
  if (owner !== null)
    throw new StepError(`host failed: ${host} leads to the Worker ${owner}. Take it from there first.`);
  const records = zone ? await unlessForbidden(zones.listRecords(zone, host)) : [];
  if (records === 'forbidden') return say('host', `${host}: the token may not see whether something else is there`);
  if (records.length > 0)
    throw new StepError(`host failed: ${host} has a DNS record, so something may be there. Remove it first.`);
  say('host', `${host}: made with the Worker`);
};

const ensureRecord = async ({ ensure, say }: Steps, zones: Zones, zone: Zone | null, host: string): Promise<void> => {
  const plan = `${host} AAAA ${NOWHERE}, proxied`;
  const records = zone ? await unlessForbidden(zones.listRecords(zone, host)) : [];
  if (records === 'forbidden') return say('DNS', `the token may not see to it: make sure that there is ${plan}`);
  const others = records.filter(({ content, isProxied }) => content !== NOWHERE || !isProxied);
  if (others.length > 0) {
    const contents = others.map(({ content, isProxied }) => (isProxied ? content : `${content}, not proxied`));
    throw new StepError(
      `DNS failed: ${host} leads to ${contents.join('; ')}, and has to be ${plan}. Remove it first, or set "wildcard" to false.`,
    );
  }
  await ensure({
    name: 'DNS',
    advice: DNS_ADVICE,
    find: async () => (records.length > 0 ? host : null),
    make: async () => {
      if (zone) await zones.createRecord(zone, host);
      return host;
    },
    tell: () => plan,
    plan,
  });
};

// Records are for a person to see to, then: whoever is signed in with wrangler may do everything else.
const unlessForbidden = async <Result>(work: Promise<Result>): Promise<Result | 'forbidden'> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CloudflareError && error.status === 403) return 'forbidden';
    throw error;
  }
};
