import cliTruncate from 'cli-truncate';

/** A line on a terminal's standard error that tells how far something is; elsewhere nothing. */
export interface Progress {
  /** `share` is how much is done, 0 to 1; null where nobody knows. */
  show(share: number | null, text: string): void;
  /** Takes the line away, so that something else can be printed. */
  clear(): void;
}

const WIDEST_BAR = 30;
const INTERVAL_MILLISECONDS = 100;

/** Goes to the beginning of the line, and empties it. */
const EMPTY_LINE = '\r\u001b[2K';

export const createProgress = (): Progress => {
  const { stderr } = process;
  if (!stderr.isTTY) return { show: () => undefined, clear: () => undefined };
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show: (share, text) => {
      if (performance.now() - shownAt < INTERVAL_MILLISECONDS) return;
      shownAt = performance.now();
      // Not every terminal knows its size, and some go to the next line after the last column.
      const width = (stderr.columns || 80) - 1;
      const line = share === null ? text : `${barOf(share, width - text.length - 7)}  ${text}`;
      stderr.write(`${EMPTY_LINE}${cliTruncate(line, width)}`);
    },
    clear: () => {
      if (shownAt === Number.NEGATIVE_INFINITY) return;
      shownAt = Number.NEGATIVE_INFINITY;
      stderr.write(EMPTY_LINE);
    },
  };
};

const barOf = (share: number, room: number): string => {
  const width = Math.max(0, Math.min(room, WIDEST_BAR));
  const done = Math.round(share * width);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${'█'.repeat(done)}${'░'.repeat(width - done)} ${percent}`;
};
