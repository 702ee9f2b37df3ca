// The bolts of the topologies of the benchmark: the least that can be done with a tuple, and the word count.

import { Bolt, type BoltContext, type Emit, type Tuple } from 'millrace';

/** Takes tuples and does nothing with them; how many there were, the engine counts. */
export class Sink extends Bolt {
  execute(): void {
    // What arrives has arrived.
  }
}

/** Emits what it takes. */
export class Id extends Bolt {
  static readonly outputs = ['value'] as const;

  execute(tuple: Tuple<[value: string]>, emit: Emit<[value: string]>): void {
    emit([tuple.values[0]]);
  }
}

export class Split extends Bolt {
  static readonly outputs = ['word'] as const;

  execute(tuple: Tuple<[sentence: string]>, emit: Emit<[word: string]>): void {
    const words = tuple.values[0].split(' ');
    for (let i = 0; i < words.length; i++) emit([words[i]!]);
  }
}

/** Counts by word, and emits each new count, though nobody takes it. */
export class Count extends Bolt {
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
