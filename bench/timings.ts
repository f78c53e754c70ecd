/** The middle value, which a few disturbed runs do not move. */
export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

/** How many milliseconds a piece of work takes. */
export const timeOf = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - startedAt) / 1e6;
};

/** Prints a table: what, its median, and how many times the first line's that is. */
export const printRatios = (title: string, medians: ReadonlyMap<string, number>): void => {
  const [reference = Number.NaN] = medians.values();
  console.log(`\n${title}`);
  for (const [what, median] of medians) {
    console.log(`  ${what.padEnd(28)} ${median.toFixed(2).padStart(9)} ms  × ${(median / reference).toFixed(2)}`);
  }
};
