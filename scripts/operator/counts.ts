const NUMBER = new Intl.NumberFormat('en');

export const numberOf = (count: number): string => NUMBER.format(count);

/** `countOf(2, 'line')` is "2 lines". */
export const countOf = (count: number, noun: string): string => `${numberOf(count)} ${noun}${count === 1 ? '' : 's'}`;
