// What the peers do that run in this thread and are fed texts (timed-source.ts), by the name of the topology.

import { mobyDickLines } from '../data/moby-dick.js';
import { SENTENCES } from '../data/sentences.js';

export interface TextWork {
  readonly texts: () => readonly string[];
  /** What is done with each text: nothing, one step that passes it on, or its words are counted. */
  readonly step: 'nothing' | 'pass on' | 'count words';
}

const constant = (): readonly string[] => ['some data'];

const TEXT_WORKS: Readonly<Record<string, TextWork>> = {
  null: { texts: constant, step: 'nothing' },
  id: { texts: constant, step: 'pass on' },
  words: { texts: () => SENTENCES, step: 'count words' },
  'moby-dick': { texts: mobyDickLines, step: 'count words' },
};

/** Null: it is not fed texts. */
export function textWork(topology: string): TextWork | null {
  return TEXT_WORKS[topology] ?? null;
}

/** Counts words, and says how many there were of this one so far. */
export class WordCounts {
  private readonly counts = new Map<string, number>();

  add(word: string): number {
    const count = (this.counts.get(word) ?? 0) + 1;
    this.counts.set(word, count);
    return count;
  }
}
