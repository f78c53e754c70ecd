import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const findChromium = (): string => {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const candidates = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  const found = process.env.CHROMIUM ?? candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    'These tests drive Chromium, and there is none on the PATH. Install it (Debian, Ubuntu: apt-get install chromium) ' +
      'or name it: CHROMIUM=/path/to/chromium npm test',
  );
};

/** The machine's own Chromium, without a window. It calls nobody but the pages that it is sent to. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: findChromium(),
    args: [
      // Tests run as root, where Chromium has no sandbox, and in containers whose /dev/shm is small.
      ...['--no-sandbox', '--disable-dev-shm-usage'],
      ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync'],
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost',
    ],
  });
