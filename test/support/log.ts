import { vi } from 'vitest';

/** What the work writes to the console, and nothing of it to the tests' own output. */
export const logOf = async (work: () => Promise<unknown>): Promise<string> => {
  const written: string[] = [];
  const levels = ['log', 'info', 'warn', 'error', 'debug'] as const;
  const spies = levels.map((level) =>
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      written.push(parts.map(String).join(' '));
    }),
  );
  try {
    await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return written.join('\n');
};
