// Spouts that can be seen being asked or not: one that emits a number every 10 ms, and one whose only call waits at a
// gate and emits then. Their bolt holds every tuple until its next tick, which also opens the gate of its thread.

import { Bolt, Spout, topology, type BoltContext, type Emit, type SpoutContext, type Tuple } from 'millrace';
import { openGate, passed } from './parts.js';

class Numbers extends Spout {
  static readonly outputs = ['number'] as const;
  private context!: SpoutContext;
  private next = 0;

  override open(context: SpoutContext): void {
    this.context = context;
  }

  nextTuple(emit: Emit): void {
    if (this.context.now() < this.next * 10) return;
    emit([this.next], { id: this.next });
    this.next++;
  }
}

class Late extends Spout {
  static readonly outputs = ['number'] as const;
  private readonly gate: string;
  private asked = 0;

  constructor(config: { readonly gate: string }) {
    super();
    this.gate = config.gate;
  }

  async nextTuple(emit: Emit): Promise<void> {
    if (this.asked++ > 0) return;
    await passed(this.gate);
    emit([-1], { id: 'late' });
    emit([-2]);
  }
}

class Holder extends Bolt {
  static readonly options = { manualAck: true, tickEvery: '1s' } as const;
  private readonly held: Tuple[] = [];
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    this.held.push(tuple);
  }

  override tick(): void {
    for (const tuple of this.held.splice(0)) this.context.ack(tuple);
  }
}

class Opener extends Bolt {
  static readonly options = { tickEvery: '500ms' } as const;
  private readonly gate: string;

  constructor(config: { readonly gate: string }) {
    super();
    this.gate = config.gate;
  }

  execute(_tuple: Tuple): void {
    return undefined;
  }

  override tick(): void {
    openGate(this.gate);
  }
}

export default topology(
  'switching',
  (t) => {
    const numbers = t.spout('numbers', Numbers);
    const late = t.spout('late', Late, { config: { gate: 'late' } });
    t.bolt('holder', Holder).shuffle(numbers).shuffle(late);
    t.bolt('opener', Opener, { parallelism: 2, config: { gate: 'late' } }).all(late);
  },
  { messageTimeout: '10s' },
);
