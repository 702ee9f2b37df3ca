// A spout that is far faster than the bolt behind it: what piles up in between must not grow.

import { Bolt, topology, type BoltContext, type Emit, type Tuple } from 'millrace';
import { generator } from 'millrace/connect/generator';

/** Works on each tuple for `busyUs` microseconds of processor time. */
class Slow extends Bolt {
  static readonly outputs = ['number'] as const;
  private busyMs = 0;

  override prepare(context: BoltContext): void {
    this.busyMs = Number(context.config['busyUs']) / 1000;
  }

  execute(tuple: Tuple<[number: number, text: string]>, emit: Emit<[number: number]>): void {
    const untilMs = performance.now() + this.busyMs;
    while (performance.now() < untilMs);
    emit([tuple.values[0]]);
  }
}

class Sink extends Bolt {
  execute(): void {
    // Nothing to do: what counts is that the tuple came.
  }
}

export default topology('slow-bolt', (t) => {
  const template = { number: { sequence: 0 }, text: { string: { length: 20 } } } as const;
  const numbers = t.spout('numbers', generator({ template, tracked: true }));
  const slow = t.bolt('slow', Slow, { config: { busyUs: 20 } }).shuffle(numbers);
  t.bolt('sink', Sink).global(slow);
});
