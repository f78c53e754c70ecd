export const COMMAND = 'npm run operator --';

/** Without what npm says on standard output before a command does. */
const SILENT_COMMAND = 'npm run --silent operator --';

/** The end of a help text: lines to paste. Each begins with a command of ours, unless it says itself where that stands. */
export const examples = (...lines: string[]): string => {
  const shown = lines.map((line) => {
    if (line.includes(COMMAND)) return `  ${line}`;
    return `  ${isForPrograms(line) ? SILENT_COMMAND : COMMAND} ${line}`;
  });
  return `\nExamples:\n${shown.join('\n')}`;
};

const isForPrograms = (line: string): boolean => / (--json|[|>])( |$)/.test(line);
