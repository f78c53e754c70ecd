import { expect, it } from 'vitest';
import { createAfterwork } from '../src/afterwork.ts';

const newCase = () => {
  const [steps, failures, awaited]: [string[], unknown[], Promise<unknown>[]] = [[], [], []];
  const afterwork = createAfterwork(
    (work) => awaited.push(work),
    (error) => failures.push(error),
  );
  const step = (name: string) => async () => {
    steps.push(name);
  };
  return { ...afterwork, steps, failures, awaited, step };
};

it('begins what waits when the answer is on its way and all that was deferred is done', async () => {
  const { defer, afterwards, goOn, awaited, steps, step } = newCase();
  const { promise, resolve } = Promise.withResolvers<void>();
  afterwards(step('waiting'));
  defer(promise.then(step('deferred')));
  goOn();
  await Promise.resolve();
  expect(steps).toEqual([]);
  resolve();
  await Promise.all(awaited);
  expect(steps).toEqual(['deferred', 'waiting']);
});

it('tells what failed, and does the rest all the same', async () => {
  const { defer, afterwards, goOn, awaited, steps, failures, step } = newCase();
  const [first, second] = [new Error('deferred'), new Error('waiting')];
  defer(Promise.reject(first));
  afterwards(() => Promise.reject(second));
  afterwards(step('waiting'));
  goOn();
  await Promise.all(awaited);
  expect(failures).toEqual([first, second]);
  expect(steps).toEqual(['waiting']);
});

it('does part by part what an answer that takes long leaves, each once', async () => {
  const { afterwards, goOn, workOff, awaited, steps, failures, step } = newCase();
  afterwards(step('first'));
  goOn();
  await Promise.all(awaited);
  afterwards(() => Promise.reject(new Error('second')));
  await workOff();
  afterwards(step('third'));
  await workOff();
  expect(steps).toEqual(['first', 'third']);
  expect(failures).toHaveLength(1);
});

it('keeps nobody waiting where nothing is left to be done', () => {
  const { goOn, awaited } = newCase();
  goOn();
  expect(awaited).toEqual([]);
});
