import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { callerFolder } from '../local/command.ts';
import { type Item, jsonObject } from './client.ts';
import { WrongUsage } from './failures.ts';

/** A file that was named, or standard input for `-`. `bytes` is its size, where it has one. */
export type Input = { name: string; bytes: number | null; stream: Readable };

export const resolveFile = (file: string): string => path.resolve(callerFolder(), file);

export const openInput = async (file: string): Promise<Input> => {
  if (file === '-') return { name: 'standard input', bytes: null, stream: process.stdin };
  try {
    const handle = await open(resolveFile(file));
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new Error('EISDIR: it is a folder');
    return { name: file, bytes: stats.isFile() ? stats.size : null, stream: handle.createReadStream() };
  } catch (error) {
    throw cannotRead(file, error);
  }
};

export const readText = async (file: string): Promise<string> => {
  const { name, stream } = await openInput(file);
  try {
    return await text(stream);
  } catch (error) {
    throw cannotRead(name, error);
  }
};

/** The JSON object in a file. What is wrong with it is told by its place: the text may hold a secret. */
export const readObject = async (file: string): Promise<Item> => {
  const content = await readText(file);
  try {
    return jsonObject.parse(JSON.parse(content.replace(/^\ufeff/, '')));
  } catch (error) {
    const [place = ''] = /\(line \d+ column \d+\)/.exec(String(error)) ?? [];
    throw cannotRead(file, `it has to be one JSON object ${place}`.trim());
  }
};

const cannotRead = (file: string, error: unknown): WrongUsage =>
  new WrongUsage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
