export const COMMAND = 'npm run operator --';

/** The end of a help text: lines to paste. The command of a line is what comes last of its pipe. */
export const examples = (...lines: string[]): string => {
  const shown = lines.map((line) => {
    const pipe = line.lastIndexOf(' | ');
    const at = pipe === -1 ? 0 : pipe + ' | '.length;
    return `  ${line.slice(0, at)}${COMMAND} ${line.slice(at)}`;
  });
  return `\nExamples:\n${shown.join('\n')}`;
};
