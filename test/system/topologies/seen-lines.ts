// Numbered lines of a text on two spout tasks, sent to and fro between workers, for tests that bring faults upon whole
// hosts. Every task tells in a file of its own, made for its incarnation, that it runs; the last bolt writes there what
// it has seen before that is acked. Files outlive whoever wrote them, and times in them are of the machine's clock that
// nobody sets.
//
//   lines ──shuffle──► pass ──fields(n)──► see     COMPONENT.TASK.INCARNATION: `@ pid`, then of `see` a line a tuple:
//                                                  `spout n incarnation-of-the-spout failed-at seen-at`
//   stop: spouts emit nothing new.   LAST.SPOUT: how many lines it had then.   die.PID: one worker there ends;
//   died: when.

import { appendFileSync, existsSync, linkSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import {
  AckedOffsets,
  Bolt,
  Spout,
  topology,
  type BoltContext,
  type ComponentContext,
  type Emit,
  type NextTuple,
  type SpoutContext,
  type Tuple,
} from 'millrace';

const FIELDS = ['spout', 'n', 'incarnation', 'failedMs', 'text'] as const;
const SPOUTS = 2;
/** A spout keeps its progress, and looks for what it is told, at most this often. */
const LOOK_MS = 50;

/** The same in all processes of the machine, whatever their clocks say. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Where this incarnation of a task writes, which no other one may ever have written to. */
function ownFile({ component, task, incarnation, config }: ComponentContext): number {
  const name = `${component}.${task}.${incarnation}`;
  const directory = String(config['directory']);
  const isSecond = existsSync(`${directory}/${name}`);
  const file = openSync(`${directory}/${isSecond ? `twice.${name}.${now()}` : name}`, 'ax');
  appendFileSync(file, `@ ${process.pid}\n`);
  return file;
}

class Lines extends Spout {
  static readonly outputs = FIELDS;
  private readonly again: { readonly n: number; readonly failedMs: number }[] = [];
  private texts: readonly string[] = [];
  private offsets = new AckedOffsets();
  private context!: SpoutContext;
  private next = 0;
  private last = Infinity;
  private keptMs = 0;
  private lookedMs = 0;

  override open(context: SpoutContext): void {
    this.context = context;
    ownFile(context);
    this.texts = readFileSync(String(context.config['text']), 'utf8').split('\n');
    if (context.config['stops'] !== true) this.stopAt(Math.ceil((this.texts.length - context.index) / SPOUTS));
    this.next = (context.restored(String(context.index)) as number | undefined) ?? 0;
    this.offsets = new AckedOffsets(this.next);
  }

  nextTuple(emit: Emit): NextTuple {
    const replay = this.again.pop();
    if (replay !== undefined) {
      this.emit(emit, replay.n, replay.failedMs);
      return undefined;
    }
    const nowMs = now();
    if (nowMs - this.lookedMs > LOOK_MS) {
      this.lookedMs = nowMs;
      this.look();
    }
    if (this.next >= this.last) return 'done';
    const { rate, startedMs } = this.context.config;
    // What a fault held up is caught up.
    if (this.next >= ((nowMs - Number(startedMs)) / 1000) * Number(rate)) return undefined;
    this.offsets.open(this.next);
    this.emit(emit, this.next++, 0);
    return undefined;
  }

  override ack(id: unknown): void {
    this.offsets.ack(id as number);
    if (now() - this.keptMs < LOOK_MS) return;
    this.keptMs = now();
    this.context.checkpoint(String(this.context.index), this.offsets.low);
  }

  override fail(id: unknown): void {
    this.again.push({ n: id as number, failedMs: now() });
  }

  private look(): void {
    if (this.last === Infinity && existsSync(`${String(this.context.config['directory'])}/stop`))
      this.stopAt(this.next);
  }

  /** Where it stops is decided once, by whichever incarnation is first. */
  private stopAt(count: number): void {
    const last = `${String(this.context.config['directory'])}/last.${this.context.index}`;
    const own = `${last}.${this.context.incarnation}`;
    writeFileSync(own, String(count));
    try {
      // Whole at once: another one may be about to read it.
      linkSync(own, last);
    } catch {
      // An earlier one was.
    }
    this.last = Number(readFileSync(last, 'utf8'));
  }

  private emit(emit: Emit, n: number, failedMs: number): void {
    const { index, incarnation } = this.context;
    emit([index, n, incarnation, failedMs, this.texts[(n * SPOUTS + index) % this.texts.length]!], { id: n });
  }
}

class Pass extends Bolt {
  static readonly outputs = FIELDS;
  private directory = '';

  override prepare(context: BoltContext): void {
    ownFile(context);
    this.directory = String(context.config['directory']);
  }

  execute(tuple: Tuple, emit: Emit): void {
    emit([...tuple.values]);
  }

  override tick(): void {
    const order = `${this.directory}/die.${process.pid}`;
    if (!existsSync(order)) return;
    try {
      unlinkSync(order);
    } catch {
      // Another one does.
      return;
    }
    writeFileSync(`${this.directory}/died`, String(now()));
    process.exit(1);
  }
}

class See extends Bolt {
  private file = -1;
  private text = '';

  override prepare(context: BoltContext): void {
    this.file = ownFile(context);
  }

  execute(tuple: Tuple): void {
    const [spout, n, incarnation, failedMs] = tuple.values as readonly [number, number, number, number];
    this.text += `${spout} ${n} ${incarnation} ${failedMs} ${now()}\n`;
  }

  override endBatch(): void {
    appendFileSync(this.file, this.text);
    this.text = '';
  }
}

export default topology(
  'seen-lines',
  (t) => {
    const config = { directory: '.', text: 'text', rate: 250, startedMs: 0, stops: true };
    const lines = t.spout('lines', Lines, { parallelism: SPOUTS, config });
    const pass = t
      .bolt('pass', Pass, { parallelism: 3, tickEvery: '20ms', config: { directory: '.' } })
      .shuffle(lines, { locality: false });
    t.bolt('see', See, { parallelism: 3, config: { directory: '.' } }).fields(pass, 'n');
  },
  { workers: 3, maxSpoutPending: 2000, placement: 'spread' },
);
