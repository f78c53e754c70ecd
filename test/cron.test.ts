import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { breakable } from './support/bindings.ts';
import { logOf } from './support/log.ts';
import { createService } from './support/service.ts';
import { newTenant, type TestTenant } from './support/tenants.ts';
import { newWebhookWorld } from './support/webhooks.ts';

const MINUTE = 60;

/** The lines that a run of the cron trigger writes, which is to fail. */
const linesOfFailing = async (run: () => Promise<void>): Promise<unknown[]> => {
  const log = await logOf(() => expect(run()).rejects.toThrow('failures, see the log'));
  return log.split('\n').map((line) => JSON.parse(line));
};

const moveTo = (shard: string, { id }: TestTenant) =>
  env.DB.prepare('update tenants set shard = ? where id = ?').bind(shard, id).run();

it('fails where a database does, tells of each, and hands over what is overdue in the others', async () => {
  const { service, put, happen, takeMessages } = await newWebhookWorld();
  const moved = [await newTenant(service), await newTenant(service)];
  await put('hooks');
  await happen();
  const lost = takeMessages();
  service.clock.advance(MINUTE);
  for (const [i, tenant] of moved.entries()) await moveTo(`LOST_${i}`, tenant);
  const lines = await linesOfFailing(service.runCron);
  for (const tenant of moved) await moveTo('DB', tenant);
  for (const shard of ['LOST_0', 'LOST_1']) {
    const at = expect.arrayContaining([expect.stringMatching(/^at /)]);
    expect(lines).toContainEqual({
      ...{ level: 'error', deliveries: true, shard, code: 'internal_error', error: 'Error', at },
    });
  }
  expect(takeMessages()).toEqual(lost);
  expect(await logOf(service.runCron)).toBe('');
});

it('fails where nothing can be read, and tells of all that it did not do', async () => {
  const storage = breakable(env);
  const { service } = await newWebhookWorld(storage.bindings);
  storage.failWhen(() => 'before');
  const lines = await linesOfFailing(service.runCron);
  expect(lines).toHaveLength(2);
  for (const part of ['deliveries', 'upkeep']) {
    const told = { level: 'error', [part]: true, code: 'storage_unavailable' };
    expect(lines).toContainEqual({ ...told, error: expect.stringContaining('is broken') });
  }
  storage.failWhen(null);
  expect(await logOf(service.runCron)).toBe('');
});

it('fails where the queue does, which takes the overdue ones later', async () => {
  const { service, put, happen, takeMessages, queue } = await newWebhookWorld();
  await put('hooks');
  await happen();
  const lost = takeMessages();
  service.clock.advance(MINUTE);
  const { sendBatch } = queue.queue;
  queue.queue.sendBatch = () => Promise.reject(new Error('Queues are out of order'));
  const lines = await linesOfFailing(service.runCron);
  expect(lines).toMatchObject([{ level: 'error', deliveries: true, shard: 'DB', code: 'internal_error' }]);
  queue.queue.sendBatch = sendBatch;
  await service.runCron();
  expect(takeMessages()).toEqual(lost);
});

it('fails without its settings, and tells of it', async () => {
  const lines = await linesOfFailing(createService({ MASTER_KEY: 'short' }).runCron);
  expect(lines).toMatchObject([{ level: 'error', cron: true, error: 'SettingsError' }]);
  expect(JSON.stringify(lines)).not.toContain('short');
});
