// A spout that emits ten tuples in one call, to a bolt that holds them until a command lets go of the oldest.

import { Bolt, Spout, topology, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';
import { Command } from './parts.js';

class Burst extends Spout {
  static readonly outputs = ['number'] as const;
  private index = 0;
  private burst = false;

  override open(context: SpoutContext): void {
    this.index = context.index;
  }

  nextTuple(emit: Emit): 'done' {
    if (!this.burst) {
      for (let number = 0; number < 10; number++) emit([this.index * 10 + number], { id: this.index * 10 + number });
    }
    this.burst = true;
    return 'done';
  }
}

class Holder extends Bolt {
  static readonly options = { manualAck: true } as const;
  private readonly held: Tuple[] = [];
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    if (tuple.component !== 'command') {
      this.held.push(tuple);
      return;
    }
    const oldest = this.held.shift();
    if (oldest !== undefined) this.context.ack(oldest);
    this.context.ack(tuple);
  }
}

export default topology(
  'burst',
  (t) => {
    const burst = t.spout('burst', Burst, { parallelism: 2 });
    t.bolt('holder', Holder).shuffle(burst).all(t.spout('command', Command));
  },
  { maxSpoutPending: 3, messageTimeout: null },
);
