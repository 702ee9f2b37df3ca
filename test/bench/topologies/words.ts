// The words topology of the benchmark: five fixed sentences over and over, split, counted by word; the count emits.

import { Bolt, Spout, topology, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';
import { sentences } from '../sentences.js';

class Sentences extends Spout {
  static readonly outputs = ['sentence'] as const;
  private next = 0;
  private id = 0;
  private tracked = true;

  override open(context: SpoutContext): void {
    this.tracked = context.config['tracked'] !== false;
  }

  nextTuple(emit: Emit<[sentence: string]>): void {
    const sentence = sentences[this.next]!;
    this.next = this.next + 1 === sentences.length ? 0 : this.next + 1;
    if (this.tracked) emit([sentence], { id: this.id++ });
    else emit([sentence]);
  }
}

class Split extends Bolt {
  static readonly outputs = ['word'] as const;

  execute(tuple: Tuple<[sentence: string]>, emit: Emit<[word: string]>): void {
    const words = tuple.values[0].split(' ');
    for (let i = 0; i < words.length; i++) emit([words[i]!]);
  }
}

class Count extends Bolt {
  static readonly outputs = ['word', 'count'] as const;
  private readonly counts = new Map<string, number>();

  override prepare(_context: BoltContext): void {
    this.counts.clear();
  }

  execute(tuple: Tuple<[word: string]>, emit: Emit<[word: string, count: number]>): void {
    const word = tuple.values[0];
    const count = (this.counts.get(word) ?? 0) + 1;
    this.counts.set(word, count);
    emit([word, count]);
  }
}

export default topology('words', (t) => {
  const lines = t.spout('sentences', Sentences, { config: { tracked: true } });
  const split = t.bolt('split', Split).shuffle(lines);
  t.bolt('count', Count).fields(split, 'word');
});
