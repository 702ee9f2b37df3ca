// A relay that sends to a task which waits at a gate, a way through the same two workers that has nothing to do with
// it, and a bolt which sends both to a task that waits and to one that does not, within one call.
//
//   on two workers:   left, relay, right, waits, waiting: the first       slow, fast, other, waiting-…: the second

import { Bolt, topology, type Emit, type Tuple } from 'millrace';
import { Command, Opener, passed, Relay, Sink, Source } from './parts.js';

class Slow extends Bolt {
  async execute(tuple: Tuple): Promise<void> {
    const [gate] = tuple.values[0] as [gate: string, number: number];
    await passed(gate);
  }
}

/** Emits to both of its targets, then waits at the gate while its call is under way. */
class Waiting extends Bolt {
  static readonly outputs = { default: ['value'], fast: ['value'] } as const;

  async execute(tuple: Tuple, emit: Emit): Promise<void> {
    const [gate, count] = tuple.values[0] as [gate: string, count: number];
    for (let number = 0; number < count; number++) emit([[`${gate} slow`, number]]);
    await passed(`${gate} between`);
    emit([[`${gate} slow`, count]]);
    // Long enough for all that opening the gate began to be over: nothing but this emit has its worker take a turn.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    emit([gate], { stream: 'fast' } as Record<never, never>);
    await passed(`${gate} end`);
  }
}

export default topology(
  'pressure',
  (t) => {
    const left = t.spout('left', Source);
    const slow = t.bolt('slow', Slow);
    const relay = t.bolt('relay', Relay);
    const fast = t.bolt('fast', Sink);
    const right = t.spout('right', Source);
    const other = t.bolt('other', Sink);
    const waits = t.spout('waits', Source);
    const waitingSlow = t.bolt('waiting-slow', Slow);
    const waiting = t.bolt('waiting', Waiting);
    const waitingFast = t.bolt('waiting-fast', Sink);
    const command = t.spout('command', Command, { parallelism: 2 });
    t.bolt('opener', Opener, { parallelism: 2 }).all(command);
    relay.shuffle(left);
    slow.shuffle(relay);
    fast.shuffle(right);
    other.shuffle(right);
    waiting.shuffle(waits);
    waitingSlow.shuffle(waiting);
    waitingFast.shuffle(waiting.stream('fast'));
  },
  { messageTimeout: null },
);
