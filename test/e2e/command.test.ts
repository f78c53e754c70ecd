import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const command = path.join(import.meta.dirname, '../../scripts/local/command.ts');

/** Runs a script in which `run` runs a command that has nothing to stop. */
const startScript = (script: string) => {
  const preamble = `import { runCommand } from ${JSON.stringify(command)};
    const run = (main) => runCommand({ stop: async () => console.log('stopped') }, main);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', preamble + script]);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code]]) => ({ stdout, stderr, code }),
  );
  return { child, ended };
};

describe('a command', () => {
  it('takes away what it left half done before a signal ends it', async () => {
    const { child, ended } = startScript(`await run(async (interruption) => {
      try {
        const forever = setInterval(() => {}, 1000);
        console.log('begun');
        await new Promise((_, reject) => interruption.addEventListener('abort', () => reject(interruption.reason)));
      } finally {
        await new Promise((resolve) => setTimeout(resolve, 300));
        console.log('taken away');
      }
    })`);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, stdout: 'begun\nstopped\ntaken away\n', stderr: '' });
  });

  it('says in a line what went wrong', async () => {
    const { ended } = startScript("await run(async () => { throw new Error('It is full.'); })");
    expect(await ended).toEqual({ code: 1, stdout: '', stderr: 'It is full.\n' });
  });
});
