// A finite spout that goes on after the last offset below which everything is acked, and replays what fails. It emits
// five numbers in 20 milliseconds, so that time paces it. Values carry the incarnation of the spout.
//
//   on two workers:   numbers, second, sink: the first        first, third, command: the second

import {
  AckedOffsets,
  Bolt,
  Replay,
  Spout,
  topology,
  type BoltContext,
  type Emit,
  type SpoutContext,
  type Tuple,
} from 'millrace';
import { Command, Opener, Sink } from './parts.js';

class Numbers extends Spout {
  static readonly outputs = ['number', 'incarnation'] as const;
  private context!: SpoutContext;
  private offsets = new AckedOffsets();
  private next = 0;
  private count = 0;
  private readonly replay = new Replay<number>(() => this.context.now());

  override open(context: SpoutContext): void {
    this.context = context;
    this.count = context.config['count'] as number;
    this.next = (context.restored('all') as number | undefined) ?? 0;
    this.offsets = new AckedOffsets(this.next);
  }

  nextTuple(emit: Emit): 'done' | undefined {
    const again = this.replay.next();
    if (again !== undefined) {
      emit([again, this.context.incarnation], { id: again });
    } else if (this.next < this.count && this.context.now() >= 20 * Math.ceil((this.next + 1) / 5)) {
      this.offsets.open(this.next);
      const number = this.next++;
      emit([number, this.context.incarnation], { id: number });
    }
    return this.next === this.count && this.replay.waiting === 0 ? 'done' : undefined;
  }

  override ack(id: unknown): void {
    this.replay.ack(id as number);
    this.offsets.ack(id as number);
    this.context.checkpoint('all', this.offsets.low);
  }

  override fail(id: unknown): void {
    this.replay.fail(id as number);
  }
}

/** Passes numbers on, and at the end how many they were, from this incarnation. */
class Relay extends Bolt {
  static readonly outputs = ['number', 'incarnation'] as const;
  private context!: BoltContext;
  private took = 0;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple, emit: Emit): void {
    this.took++;
    emit(tuple.values);
  }

  override finish(emit: Emit): void {
    emit([`${this.context.component} took ${this.took}`, this.context.incarnation]);
  }
}

export default topology(
  'numbers',
  (t) => {
    const numbers = t.spout('numbers', Numbers, { config: { count: 200 } });
    const first = t.bolt('first', Relay).shuffle(numbers);
    const second = t.bolt('second', Relay).shuffle(first);
    const third = t.bolt('third', Relay).shuffle(second);
    t.bolt('sink', Sink).shuffle(third);
    t.bolt('opener', Opener, { parallelism: 2 }).all(t.spout('command', Command));
  },
  { messageTimeout: null, maxSpoutPending: 40 },
);
