// Words counted by key, and two bolts behind it that number all that they get: the first topology of Storm's own tests.

import { Bolt, topology, type Emit, type Tuple } from 'millrace';
import { Fed, Sink } from './parts.js';

class Lines extends Fed {
  static readonly outputs = ['word'] as const;
}

class WordCount extends Bolt {
  static readonly outputs = ['word', 'count'] as const;
  private readonly counts = new Map<unknown, number>();

  execute(tuple: Tuple, emit: Emit): void {
    const [word] = tuple.values;
    const count = (this.counts.get(word) ?? 0) + 1;
    this.counts.set(word, count);
    emit([word, count]);
  }
}

class Numbering extends Bolt {
  static readonly outputs = ['number'] as const;
  private number = 0;

  execute(_tuple: Tuple, emit: Emit): void {
    emit([++this.number]);
  }
}

export default topology('counting', (t) => {
  const lines = t.spout('lines', Lines, { parallelism: 3 });
  const a = t.bolt('a', WordCount, { parallelism: 4 }).fields(lines, 'word');
  const b = t.bolt('b', Numbering, { parallelism: 2 }).global(lines);
  const c = t.bolt('c', Numbering, { parallelism: 2 }).global(a);
  t.bolt('sink', Sink).shuffle(b).shuffle(c);
});
