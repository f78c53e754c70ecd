import * as z from 'zod';
import type { Cloudflare } from './cloudflare.ts';

export type Zone = { id: string; name: string };

/** An address that leads nowhere, for a name whose requests all end at Cloudflare (RFC 6666). */
export const NOWHERE = '100::';

const RECORDS_A_PAGE = 100;

const record = z.object({ name: z.string(), type: z.string(), content: z.string(), proxied: z.boolean().optional() });

/** Where requests for a host go. */
type HostRecord = { content: string; isProxied: boolean };

/** What else a name may have, for mail for instance, has nothing to do with requests. */
const OF_REQUESTS = ['A', 'AAAA', 'CNAME'];

/** The domains of the account: what the wildcard below ours needs. */
export interface Zones {
  /** The zone that a domain is in. */
  find(domain: string): Promise<Zone | null>;
  listRecords(zone: Zone, host: string): Promise<HostRecord[]>;
  /** The hosts below a domain whose requests come to Cloudflare, and where they go from there. */
  listHostsBelow(zone: Zone, domain: string): Promise<{ host: string; content: string }[]>;
  /** Sends the host's requests to Cloudflare. */
  createRecord(zone: Zone, host: string): Promise<void>;
}

export const createZones = ({ ask }: Cloudflare, accountId: string): Zones => ({
  find: async (domain) => {
    const labels = domain.split('.');
    for (let skipped = 0; skipped < labels.length - 1; skipped += 1) {
      const name = labels.slice(skipped).join('.');
      const [zone] = await ask(
        `/zones?name=${name}&account.id=${accountId}`,
        z.array(z.object({ id: z.string(), name: z.string() })),
      );
      if (zone) return zone;
    }
    return null;
  },

  listRecords: async (zone, host) => {
    const records = await ask(`/zones/${zone.id}/dns_records?name=${encodeURIComponent(host)}`, z.array(record));
    return records
      .filter(({ type }) => OF_REQUESTS.includes(type))
      .map(({ content, proxied = false }) => ({ content, isProxied: proxied }));
  },

  listHostsBelow: async (zone, domain) => {
    const hosts: { host: string; content: string }[] = [];
    for (let page = 1; ; page += 1) {
      const wanted = { 'name.endswith': `.${domain}`, proxied: 'true', per_page: String(RECORDS_A_PAGE) };
      const query = new URLSearchParams({ ...wanted, page: String(page) });
      const records = await ask(`/zones/${zone.id}/dns_records?${query}`, z.array(record));
      const below = records.filter(({ name }) => name.endsWith(`.${domain}`));
      hosts.push(...below.map(({ name, content }) => ({ host: name, content })));
      if (records.length < RECORDS_A_PAGE) return hosts;
    }
  },

  createRecord: async (zone, host) => {
    const body = { type: 'AAAA', name: host, content: NOWHERE, proxied: true, comment: 'Tenants of Gatehouse' };
    await ask(`/zones/${zone.id}/dns_records`, z.unknown(), { method: 'POST', body });
  },
});
