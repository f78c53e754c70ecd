import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const command = path.join(import.meta.dirname, '../../scripts/local/command.ts');

/** Runs a script in which `run` runs a command that has nothing to stop. */
const runScript = async (script: string) => {
  const preamble = `import { runCommand } from ${JSON.stringify(command)};
    const run = (main) => runCommand({ stop: async () => console.log('stopped') }, main);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', preamble + script]);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { stdout, stderr, code };
};

describe('a command', () => {
  it('takes away what it left half done before a signal ends it, however early that comes', async () => {
    const result = await runScript(`await run(async (interruption) => {
      try {
        const forever = setInterval(() => {}, 1000);
        console.log('begun');
        process.kill(process.pid, 'SIGINT');
        await new Promise((_, reject) => interruption.addEventListener('abort', () => reject(interruption.reason)));
      } finally {
        await new Promise((resolve) => setTimeout(resolve, 300));
        console.log('taken away');
      }
    })`);
    expect(result).toEqual({ code: 130, stdout: 'begun\nstopped\ntaken away\n', stderr: '' });
  });

  it('says in a line what went wrong', async () => {
    const result = await runScript("await run(async () => { throw new Error('It is full.'); })");
    expect(result).toEqual({ code: 1, stdout: '', stderr: 'It is full.\n' });
  });
});
