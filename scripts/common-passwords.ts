// Writes src/crypto/common-passwords.txt and the licence it comes under. To be run again when the package that ranks them is updated.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const ENTRIES = 10_000;
const SHORTEST = 8;

const require = createRequire(import.meta.url);
const main = pathToFileURL(require.resolve('@zxcvbn-ts/language-common'));
const ranked: unknown = JSON.parse(readFileSync(new URL('../src/passwords.json', main), 'utf8'));
if (!Array.isArray(ranked)) throw new Error('The package no longer lists passwords as an array');

const comparable = ranked.map((password) => String(password).normalize('NFKC').toLowerCase());
const longEnough = [...new Set(comparable)].filter((password) => [...password].length >= SHORTEST);
// Sorted, it compresses to 35 KiB; in order of rank it would take 44.
const list = longEnough.slice(0, ENTRIES).sort().join('\n');
writeFileSync(new URL('../src/crypto/common-passwords.txt', import.meta.url), list);
copyFileSync(new URL('../LICENSE.txt', main), new URL('../src/crypto/common-passwords.LICENSE', import.meta.url));
