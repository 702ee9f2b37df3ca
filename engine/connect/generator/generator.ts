// The spout `generator`: tuples made from a template, at a rate or as fast as they are taken, a number of them or
// without end. Task i of n makes the tuples i, i + n, i + 2n, … of one sequence that all tasks share. Invariants: a
// tuple follows from seed and number (template.ts), so replays need no memory; after a stall at most one second's worth
// is caught up; the progress of a partition `index/tasks` never passes a tuple that is not acked. On the worker's
// thread.

import { AckedOffsets } from '../../component/acked-offsets.js';
import type { SpoutContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import { Replay } from '../../component/replay.js';
import { Spout, type FailCause, type NextTuple, type TreeFailure } from '../../component/spout.js';
import { CHECKPOINT_MIN_MS } from '../../limits.js';
import { Random } from '../../random.js';
import { Settings } from '../settings.js';
import { compileTemplate, type CompiledTemplate } from './template.js';

/** How much of a stall is caught up. */
const CATCH_UP_MS = 1000;

const SEED_DEFAULT = 1;

/** Makes tuples. Settings: `template`, `seed`, `rate`, `count`, `tracked`, `retries`. */
export class Generator extends Spout {
  private readonly template: CompiledTemplate;
  private readonly seed: number;
  private readonly rate: number | null;
  private readonly count: number;
  private readonly tracked: boolean;
  private readonly retries: number | null;
  private readonly random = new Random(0);
  private context: SpoutContext | null = null;
  private partition = '';
  private index = 0;
  private tasks = 1;
  /** How many of its own tuples this task has to make in all. */
  private own = Infinity;
  private next = 0;
  private acked = new AckedOffsets();
  private replay = new Replay<number>(() => 0);
  /** At a rate: when the tuple `next` is due. */
  private dueMs: number | null = null;
  private intervalMs = 0;
  private kept = 0;
  private keptMs = -Infinity;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    const settings = new Settings('generator', config);
    this.template = compileTemplate(settings.any('template'), (field, what) =>
      settings.wrong(`template${field}`, what),
    );
    this.seed = settings.whole('seed', SEED_DEFAULT, -0x80000000, 0xffffffff);
    this.rate = settings.positive('rate');
    this.count = settings.whole('count', Number.MAX_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER);
    this.tracked = settings.flag('tracked', true);
    this.retries = settings.retries();
    if (this.retries !== null && !this.tracked) throw settings.wrong('retries', 'needs tuples that are tracked');
  }

  override open(context: SpoutContext): void {
    this.context = context;
    this.index = context.index;
    this.tasks = context.parallelism;
    this.partition = `${context.index}/${context.parallelism}`;
    this.own = Math.max(0, Math.ceil((this.count - this.index) / this.tasks));
    this.intervalMs = this.rate === null ? 0 : (1000 * this.tasks) / this.rate;
    this.next = this.kept = Math.min(startOf(context.restored(this.partition)), this.own);
    this.acked = new AckedOffsets(this.next);
    this.replay = new Replay(() => context.now(), { retries: this.retries });
  }

  /** Time that it was not active is not caught up. */
  override activate(): void {
    this.dueMs = null;
  }

  override nextTuple(emit: Emit): NextTuple {
    if (this.replay.waiting > 0 && this.replay.emitDue(emit, (offset) => this.valuesOf(offset))) return undefined;
    if (this.next >= this.own) {
      this.keep(true);
      return this.replay.waiting === 0 ? 'done' : undefined;
    }
    if (this.replay.full || !this.isDue()) {
      this.keep(false);
      return undefined;
    }
    const offset = this.next++;
    if (this.tracked) {
      this.acked.open(offset);
      emit(this.valuesOf(offset), { id: offset });
    } else {
      emit(this.valuesOf(offset));
      this.keep(false);
    }
    return undefined;
  }

  override ack(id: unknown): void {
    const offset = id as number;
    this.replay.ack(offset);
    this.acked.ack(offset);
    this.keep(this.next >= this.own && this.acked.pending === 0);
  }

  override fail(id: unknown, _cause?: FailCause, failure?: TreeFailure): void {
    if (this.replay.fail(id as number, failure)) this.context?.metrics.counter('deadLetters').add();
  }

  override close(): void {
    this.keep(true);
  }

  private valuesOf(offset: number): ReturnType<CompiledTemplate['values']> {
    const number = offset * this.tasks + this.index;
    this.random.restart(this.seed, number);
    return this.template.values(this.random, number);
  }

  /** At a rate: whether the next tuple may go, which moves the moment of the one after it. */
  private isDue(): boolean {
    if (this.intervalMs === 0) return true;
    const nowMs = this.context?.now() ?? 0;
    // Tasks start one after another within an interval, so that they do not all emit at once.
    this.dueMs ??= nowMs + (this.intervalMs * this.index) / this.tasks;
    if (nowMs < this.dueMs) return false;
    this.dueMs = Math.max(this.dueMs, nowMs - CATCH_UP_MS) + this.intervalMs;
    return true;
  }

  private keep(now: boolean): void {
    const low = this.tracked ? this.acked.low : this.next;
    if (low === this.kept || this.context === null) return;
    const nowMs = this.context.now();
    if (!now && nowMs - this.keptMs < CHECKPOINT_MIN_MS) return;
    this.keptMs = nowMs;
    this.kept = low;
    this.context.checkpoint(this.partition, { next: low });
  }
}

function startOf(progress: unknown): number {
  if (typeof progress !== 'object' || progress === null || !('next' in progress)) return 0;
  return Number.isSafeInteger(progress.next) && (progress.next as number) >= 0 ? (progress.next as number) : 0;
}
