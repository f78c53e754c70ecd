/** Names that were typed with commas between. */
export const readNames = (typed: string): string[] => typed.split(',').flatMap((name) => name.trim() || []);
