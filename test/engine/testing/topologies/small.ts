// A fed spout, a bolt that ticks and passes on, and one that takes: the kit's own tests look at them.

import { Bolt, Spout, topology, type BoltContext, type Emit, type Tuple } from 'millrace';

class Source extends Spout {
  static readonly outputs = ['value'] as const;

  nextTuple(): 'done' {
    return 'done';
  }
}

class Middle extends Bolt {
  static readonly outputs = ['value'] as const;
  static readonly options = { tickEvery: '4s' } as const;
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple, emit: Emit): void {
    emit(tuple.values);
  }

  override tick(): void {
    void this.context.print(`tick at ${this.context.now()}`);
  }
}

class Last extends Bolt {
  execute(_tuple: Tuple): void {
    return undefined;
  }
}

export default topology(
  'small',
  (t) => {
    const source = t.spout('source', Source);
    const middle = t.bolt('middle', Middle).shuffle(source);
    t.bolt('last', Last).shuffle(middle);
  },
  { messageTimeout: '10s', placement: 'spread' },
);
