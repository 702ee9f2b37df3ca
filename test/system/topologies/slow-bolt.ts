// A spout that is far faster than the bolt behind it: what piles up in between must not grow. The bolts tell what their
// workers' threads hold in memory, which only they can see.

import { Bolt, topology, type BoltContext, type Emit, type Tuple } from 'millrace';
import { generator } from 'millrace/connect/generator';

const TOLD_EVERY_MS = 1000;

/** Tells, as gauges, the megabytes of its thread's heap and of what that holds outside. */
abstract class Telling extends Bolt {
  private toldMs = -Infinity;
  protected context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  protected tell(): void {
    const nowMs = performance.now();
    if (nowMs < this.toldMs + TOLD_EVERY_MS) return;
    this.toldMs = nowMs;
    const { heapUsed, external } = process.memoryUsage();
    this.context.metrics.gauge('heapBytes').set(heapUsed);
    this.context.metrics.gauge('externalBytes').set(external);
  }
}

/** Works on each tuple for `busyUs` microseconds of processor time. */
export class Slow extends Telling {
  static readonly outputs = ['number'] as const;
  private busyMs = 0;

  override prepare(context: BoltContext): void {
    super.prepare(context);
    this.busyMs = Number(context.config['busyUs']) / 1000;
  }

  execute(tuple: Tuple<[number: number, data: unknown]>, emit: Emit<[number: number]>): void {
    this.tell();
    const untilMs = performance.now() + this.busyMs;
    while (performance.now() < untilMs);
    emit([tuple.values[0]]);
  }
}

export class Sink extends Telling {
  execute(): void {
    this.tell();
  }
}

export default topology(
  'slow-bolt',
  (t) => {
    const template = { number: { sequence: 0 }, text: { string: { length: 20 } } } as const;
    const numbers = t.spout('numbers', generator({ template, tracked: true }));
    const slow = t.bolt('slow', Slow, { config: { busyUs: 20 } }).shuffle(numbers);
    t.bolt('sink', Sink).global(slow);
  },
  { placement: 'spread' },
);
