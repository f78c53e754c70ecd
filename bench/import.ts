import { readdirSync, readFileSync } from 'node:fs';
import { call } from '../test/e2e/http.ts';
import { chunksOf, sendImport, summaryIn } from '../test/e2e/imports.ts';
import { freePorts, newStateFolder, operatorHeaders, start, untilPrinted } from '../test/e2e/service.ts';
import { timeOf } from './timings.ts';

const HASH = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';

const WARM_UP = 1000;

const customerOf = (index: number) => ({
  email: `person${index}@example.com`,
  name: `Person ${index}`,
  company: 'Analytical Engines',
  address: `${index} Long Street`,
  city: 'London',
  postal_code: 'N1 7AA',
  country: 'GB',
  timezone: 'Europe/London',
  locale: 'en-GB',
  attributes: { tier: 'gold', points: index },
  given_name: 'Person',
  family_name: String(index),
  email_verified: true,
  password_hash: HASH,
  identities: [{ provider: 'provider:google', subject: `subject-${index}` }],
  created_at: '2020-02-02T02:02:02Z',
});

/**
 * How fast customers are imported into the Worker on this machine, and whether its memory grows with their number. Each
 * count by a service of its own: the local proxy in front of the Worker gives up after a request of many seconds.
 *
 * Measured on two cores with no other work: 20,000 at 7,000 a second within 392 MiB, 200,000 at 7,200 a second within
 * 460 MiB, 85 of which are the proxy's. Between 100,000 and 300,000 (130 MB) there were 45 MiB more: what grows are the
 * heap, up to where it is collected, and the cache of the local database.
 */
export const benchImport = async (): Promise<void> => {
  console.log('\nAn import, in one request');
  for (const count of [20_000, 200_000]) {
    const [ports, state] = await Promise.all([freePorts(), newStateFolder()]);
    const service = start(ports, state.folder);
    try {
      await untilPrinted(service, 'Ctrl-C stops all of it.');
      const put = (at: string, body: unknown) =>
        call(ports.worker, 'localhost', `/operator/v1/tenants/bench${at}`, {
          method: 'PUT',
          headers: operatorHeaders(),
          body,
        });
      await put('', { name: 'Bench' });
      await put('/providers/google', { type: 'google', signup: false, client_ids: ['bench'] });
      summaryIn(await sendImport(ports.worker, 'bench', chunksOf(0, WARM_UP, customerOf)));
      const memory = watchMemory(service.process.pid ?? 0);
      const milliseconds = await timeOf(async () => {
        const { created } = summaryIn(await sendImport(ports.worker, 'bench', chunksOf(WARM_UP, count, customerOf)));
        if (created !== count) throw new Error(`Of ${count} customers ${created} were created`);
      });
      const perSecond = ((count / milliseconds) * 1000).toFixed(0);
      const mebibytes = (memory.stop() / 1024).toFixed(0);
      console.log(`  ${count} customers`.padEnd(30), `${perSecond} a second, the Worker within ${mebibytes} MiB`);
    } finally {
      service.process.kill('SIGINT');
      await service.ended;
      await state.remove();
    }
  }
};

/** The most that the Workers below a process have in memory until `stop`, in KiB. */
const watchMemory = (parent: number) => {
  let most = 0;
  const look = () => {
    const sizes = workersBelow(parent).map((id) => Number(/VmRSS:\s+(\d+)/.exec(statusOf(id))?.[1] ?? 0));
    most = Math.max(
      most,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  };
  look();
  const timer = setInterval(look, 250);
  return {
    stop: (): number => {
      clearInterval(timer);
      return most;
    },
  };
};

const workersBelow = (parent: number): string[] => {
  const statuses = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((id) => [id, statusOf(id)]),
  );
  const isBelow = (id: string): boolean => {
    const above = /^PPid:\s+(\d+)/m.exec(statuses.get(id) ?? '')?.[1] ?? '0';
    return above === String(parent) || (above !== '0' && isBelow(above));
  };
  return [...statuses].filter(([id, status]) => /^Name:\s+workerd/m.test(status) && isBelow(id)).map(([id]) => id);
};

const statusOf = (id: string): string => {
  try {
    return readFileSync(`/proc/${id}/status`, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
};
