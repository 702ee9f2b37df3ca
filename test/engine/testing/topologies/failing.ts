// Components that cannot begin, or say that nothing can help. They count in memory that threads share what is closed.

import { getEnvironmentData } from 'node:worker_threads';
import { Bolt, Spout, topology, type SpoutContext, type Tuple } from 'millrace';
import { failure } from '../../../../engine/errors.js';

/** Under this name the test gives the memory: how many components were made, and how many closed. */
export const LIVES = 'failing.lives';

function count(at: 0 | 1): void {
  Atomics.add(new Int32Array(getEnvironmentData(LIVES) as SharedArrayBuffer), at, 1);
}

class Source extends Spout {
  static readonly outputs = ['value'] as const;

  constructor() {
    super();
    count(0);
  }

  override open(context: SpoutContext): void {
    if (context.config['opens'] === false) throw new Error('the door is locked');
  }

  nextTuple(): 'done' {
    return 'done';
  }

  override close(): void {
    count(1);
  }
}

class Strict extends Bolt {
  constructor() {
    super();
    count(0);
  }

  execute(tuple: Tuple): void {
    if (tuple.values[0] === 'bad') {
      throw failure('MILLRACE_FILE_MISSING', { path: 'nowhere', resolved: '/nowhere' }, { fatal: true });
    }
  }

  override close(): void {
    count(1);
  }
}

export default topology('failing', (t) => {
  const source = t.spout('source', Source, { config: { opens: true } });
  t.bolt('strict', Strict, { parallelism: 2 }).shuffle(source);
});
