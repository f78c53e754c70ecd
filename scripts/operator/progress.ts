import { createLogUpdate } from 'log-update';

/** A line on a terminal's standard error that tells how far something is; elsewhere nothing. */
export interface Progress {
  /** `share` is how much is done, 0 to 1; null where nobody knows. */
  show(share: number | null, text: string): void;
  /** Takes the line away, so that something else can be printed. */
  clear(): void;
}

const WIDEST_BAR = 30;
const INTERVAL_MILLISECONDS = 100;

export const createProgress = (): Progress => {
  const { stderr } = process;
  if (!stderr.isTTY) return { show: () => undefined, clear: () => undefined };
  const update = createLogUpdate(stderr);
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show: (share, text) => {
      if (performance.now() - shownAt < INTERVAL_MILLISECONDS) return;
      shownAt = performance.now();
      update(share === null ? text : `${barOf(share, (stderr.columns || 80) - text.length - 8)}  ${text}`);
    },
    clear: () => {
      shownAt = Number.NEGATIVE_INFINITY;
      update.clear();
    },
  };
};

const barOf = (share: number, room: number): string => {
  const width = Math.max(0, Math.min(room, WIDEST_BAR));
  const done = Math.round(share * width);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${'█'.repeat(done)}${'░'.repeat(width - done)} ${percent}`;
};
