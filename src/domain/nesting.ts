/** The levels of a body that is read: whatever looks into it later may walk it level by level. */
export const DEEPEST_BODY = 64;

/**
 * Whether objects and lists nest more than so many levels. Looks no further than it has to: a value may be nested more
 * deeply than can be walked.
 */
export const isDeeperThan = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((each) => isDeeperThan(each, levels - 1)));
