/** What is left to be done after an answer. What fails of it is told to `onFailure`. */
export type Afterwork = {
  /** Takes work that goes on. */
  defer: (work: Promise<unknown>) => void;
  /** Takes work that is begun when all that was deferred is done. */
  afterwards: (work: () => Promise<unknown>) => void;
  /** Begins what waits: the answer is on its way. */
  goOn: () => void;
  /** Does what waits at once: for an answer that takes long, part by part. What fails keeps nobody from going on. */
  workOff: () => Promise<void>;
};

export const createAfterwork = (
  waitUntil: (work: Promise<unknown>) => void,
  onFailure: (error: unknown) => void,
): Afterwork => {
  const deferred: Promise<unknown>[] = [];
  const waiting: (() => Promise<unknown>)[] = [];
  const workOff = async (): Promise<void> => {
    await Promise.all(deferred);
    for (let work = waiting.shift(); work; work = waiting.shift()) await work().catch(onFailure);
  };
  return {
    defer: (work) => {
      const handled = work.catch(onFailure);
      deferred.push(handled);
      waitUntil(handled);
    },
    afterwards: (work) => {
      waiting.push(work);
    },
    goOn: () => {
      if (deferred.length > 0 || waiting.length > 0) waitUntil(workOff());
    },
    workOff,
  };
};
