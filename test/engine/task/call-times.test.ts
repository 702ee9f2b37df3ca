// Which calls are measured, and whose time is whose, on a clock that moves when a call says so.

import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { HELD_TIMED_MAX } from '../../../engine/limits.js';
import { SAMPLED_CALLS, SAMPLED_MS } from '../../../engine/metrics/counters.js';
import { Histogram } from '../../../engine/metrics/histogram.js';
import { CallTimes } from '../../../engine/task/call-times.js';
import { EmitCall } from '../../../engine/task/emit-call.js';
import { TIMED_DEPTH } from '../../../engine/task/task-host.js';
import { ACKED, Held, Origin, TaskTuple } from '../../../engine/task/task-tuple.js';

class Stage {
  readonly clock = new VirtualClock();
  readonly counters = new Float64Array(200);
  readonly callStack = new Int32Array(64);
  nestedMs = 0;

  pass(ms: number): void {
    while (this.clock.step(this.clock.now() + ms));
  }
}

class Actor {
  readonly calls = new Histogram();
  readonly processing = new Histogram();
  readonly times: CallTimes;
  readonly call = new EmitCall({
    emit: () => undefined,
    emitDirect: () => undefined,
    ready: () => Promise.resolve(),
    signalled: () => undefined,
  });
  untilTimed = 1;
  taken = 0;
  measured = 0;
  private readonly stage: Stage;
  private readonly row: number;
  private readonly act: (tuple: TaskTuple) => void;

  constructor(stage: Stage, row: number, act: (tuple: TaskTuple) => void = () => undefined) {
    this.stage = stage;
    this.row = row;
    this.act = act;
    this.times = new CallTimes({
      host: stage,
      counters: stage.counters,
      row,
      calls: this.calls,
      processing: this.processing,
    });
  }

  /** As a bolt task takes a tuple that had to wait. */
  takeNext(tuple: TaskTuple): void {
    if (--this.untilTimed === 0) {
      this.measured++;
      this.times.take(this, this.call, tuple);
    } else {
      this.take(tuple);
    }
  }

  take(tuple: TaskTuple): void {
    this.taken++;
    this.act(tuple);
  }

  get own(): readonly [calls: number, ms: number] {
    return [this.stage.counters[this.row + SAMPLED_CALLS]!, this.stage.counters[this.row + SAMPLED_MS]!];
  }
}

const origin = new Origin('a', 'default', 0, 0, ['n'], null);
const tuple = (): TaskTuple => new TaskTuple([1], origin, null);

t.test('each of the first calls is measured, then one in 1,024, and one when none was for a while', async (t) => {
  const stage = new Stage();
  const actor = new Actor(stage, 0);
  for (let i = 0; i < 256; i++) actor.takeNext(tuple());
  t.strictSame([actor.measured, actor.taken], [256, 256]);
  for (let i = 0; i < 102_400; i++) actor.takeNext(tuple());
  t.strictSame([actor.measured, actor.taken, actor.calls.count], [356, 102_656, 356]);
  t.notOk(actor.times.isDue(stage.clock.now() + 9));
  t.ok(actor.times.isDue(stage.clock.now() + 10));
});

t.test('direct calls inside of a measured one are its time, and not its own', async (t) => {
  const stage = new Stage();
  const leaf = new Actor(stage, 100, () => stage.pass(2));
  const middle = new Actor(stage, 50, () => {
    stage.pass(3);
    deliver(leaf);
    deliver(leaf);
  });
  const root = new Actor(stage, 0, () => {
    stage.pass(5);
    deliver(middle);
    stage.pass(1);
  });
  function deliver(actor: Actor): void {
    t.ok(stage.callStack[0]! >= TIMED_DEPTH, 'every one goes the slow way');
    actor.times.take(actor, actor.call, tuple());
  }
  root.takeNext(tuple());
  t.strictSame(
    [root.own, middle.own, leaf.own],
    [
      [1, 6],
      [1, 3],
      [2, 4],
    ],
  );
  t.strictSame([root.calls.sum, middle.calls.sum, leaf.calls.sum], [13, 7, 4]);
  t.strictSame([stage.callStack[0], stage.nestedMs], [0, 0]);
  root.takeNext(tuple());
  t.strictSame(root.own, [2, 12]);
});

t.test('what outlives its call is measured until it is settled, the newest of them', async (t) => {
  const stage = new Stage();
  const held: Held[] = [];
  const actor = new Actor(stage, 0, (each) => {
    each.held = new Held(1, 2);
    held.push(each.held);
  });
  actor.takeNext(tuple());
  stage.pass(30);
  t.ok(held[0]!.timed);
  actor.times.processed(held[0]!);
  actor.times.processed(held[0]!);
  t.strictSame([actor.processing.count, actor.processing.sum], [1, 30]);
  for (let i = 0; i < HELD_TIMED_MAX + 10; i++) actor.times.take(actor, actor.call, tuple());
  t.strictSame(
    held.map(({ timed }) => timed),
    held.map((_, at) => at > 10),
    'those that nobody settles are forgotten',
  );
  const settled = tuple();
  settled.held = new Held(1, 2);
  settled.held.state = ACKED;
  const quick = new Actor(stage, 50);
  quick.takeNext(settled);
  t.notOk(settled.held.timed, 'settled within its call');
});

t.test('an asynchronous call is measured until it has settled', async (t) => {
  const stage = new Stage();
  const actor: Actor = new Actor(stage, 0, () => {
    actor.call.open = true;
    stage.pass(1);
  });
  actor.takeNext(tuple());
  t.equal(actor.calls.count, 0);
  stage.pass(40);
  actor.times.settled(actor.call);
  t.strictSame([actor.calls.count, actor.calls.sum, actor.own], [1, 41, [1, 1]], 'its own time is what it did at once');
});

t.test("what is emitted outside of every turn is measured now and then, and nobody's own time", async (t) => {
  const stage = new Stage();
  const sink = new Actor(stage, 50, () => stage.pass(2));
  const emitter = new Actor(stage, 0);
  let opened = 0;
  for (let i = 0; i < 256 + 640; i++) {
    if (!emitter.times.openOutside()) continue;
    opened++;
    sink.times.take(sink, sink.call, tuple());
    emitter.times.closeOutside();
    t.strictSame([stage.callStack[0]!, stage.nestedMs], [0, 0]);
  }
  t.equal(opened, 266);
  t.strictSame(
    [sink.own, emitter.own],
    [
      [266, 532],
      [0, 0],
    ],
  );
  stage.callStack[0] = 1;
  for (let i = 0; i < 100; i++) t.notOk(emitter.times.openOutside(), 'inside of a call it is no matter');
});
