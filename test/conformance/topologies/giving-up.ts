// Spouts that give up what fails too often, and a bolt that keeps their dead letters, once it is told that it may.

import {
  AckedOffsets,
  Bolt,
  deadLetterOutput,
  Replay,
  Spout,
  topology,
  type Emit,
  type FailCause,
  type NextTuple,
  type SpoutContext,
  type TreeFailure,
  type Tuple,
} from 'millrace';
import { generator } from 'millrace/connect/generator';
import { Fed } from './parts.js';

function* numbers(): Generator<[n: number, what: string]> {
  yield [0, 'good'];
  yield [1, 'bad'];
  yield [2, 'good'];
  yield [3, 'once'];
}

/** Emits on a stream of its own, and shows how far it is. */
class Classy extends Spout {
  static readonly outputs = { numbered: ['n', 'what'], ...deadLetterOutput } as const;
  private context!: SpoutContext;
  private replay!: Replay<number>;
  private readonly offsets = new AckedOffsets();
  private next = 0;

  override open(context: SpoutContext): void {
    this.context = context;
    this.replay = new Replay(() => context.now(), { retries: 1, waitMinMs: 1000 });
  }

  override nextTuple(emit: Emit): NextTuple {
    if (this.replay.emitDue(emit, (n) => [n, n === 2 ? 'bad' : 'good'], 'numbered')) return undefined;
    if (this.next === 4) return this.replay.waiting === 0 ? 'done' : undefined;
    const n = this.next++;
    this.offsets.open(n);
    const send = emit as unknown as (values: unknown[], options: object) => void;
    send([n, n === 2 ? 'bad' : 'good'], { stream: 'numbered', id: n });
    return undefined;
  }

  override ack(id: number): void {
    this.replay.ack(id);
    this.offsets.ack(id);
    void this.context.print(`low ${this.offsets.low}`);
  }

  override fail(id: number, _cause: FailCause, failure: TreeFailure): void {
    this.replay.fail(id, failure);
  }
}

class Sorting extends Bolt {
  private readonly seen = new Set<unknown>();

  execute(tuple: Tuple): void {
    const [n, what] = tuple.values;
    if (what === 'bad') throw new RangeError(`${String(n)} is bad`);
    if (what === 'once' && !this.seen.has(n)) {
      this.seen.add(n);
      throw new Error('not now');
    }
  }
}

/** Refuses every letter until it is told to keep them. */
class Letters extends Bolt {
  private keeps = false;

  execute(tuple: Tuple): void {
    if (tuple.component === 'command') this.keeps = true;
    else if (!this.keeps) throw new Error('no room for letters');
  }
}

class Command extends Fed {
  static readonly outputs = ['verb'] as const;
}

export default topology(
  'giving-up',
  (t) => {
    const command = t.spout('command', Command);
    const outputs = { default: ['n', 'what'], ...deadLetterOutput } as const;
    const iterated = t.spout('iterated', numbers, { outputs, retries: 2 });
    const classy = t.spout('classy', Classy);
    const template = { n: { sequence: 0 }, what: { oneOf: ['bad', 'good'] } };
    const made = t.spout('made', generator({ template, count: 10, retries: 0 }));
    t.bolt('sorting', Sorting).shuffle(iterated).shuffle(classy.stream('numbered')).shuffle(made);
    t.bolt('letters', Letters)
      .shuffle(iterated.stream('dead-letter'))
      .shuffle(classy.stream('dead-letter'))
      .shuffle(made.stream('dead-letter'))
      .all(command);
  },
  { messageTimeout: '10m' },
);
