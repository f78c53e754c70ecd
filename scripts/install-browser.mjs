// The end-to-end tests drive a real browser. Where there is none and this may install one, as on a bare machine or in a
// container, it does; anywhere else the tests say what is missing.
import { execFileSync, spawnSync } from 'node:child_process';
import { getuid } from 'node:process';

const has = (command) => spawnSync('which', [command]).status === 0;

const isThere = process.env.CHROMIUM !== undefined || ['chromium', 'chromium-browser', 'google-chrome'].some(has);

if (!isThere && getuid?.() === 0 && has('apt-get')) {
  const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  execFileSync('apt-get', ['update', '-q'], options);
  execFileSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium'], options);
}
