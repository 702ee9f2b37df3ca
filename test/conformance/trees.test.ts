// Tuple trees, from the emit that opens them to the `ack` or `fail` that ends them: C26 to C38, C113, C115.

import type { TestRun } from 'millrace/testing';
import { oneThread, onEachTransport, range, settleUntil, topologyUrl } from './transports.js';

const holding = topologyUrl('holding');
const held = { fed: ['source', 'command'] };

/** Has the holder do something with a leaf that it holds. */
async function tell(run: TestRun, verb: 'ack' | 'fail' | 'touch', leaf: string): Promise<void> {
  run.feed('command', [verb, leaf]);
  await run.settle();
}

const orders = ['abc', 'acb', 'bac', 'bca', 'cab', 'cba'];

onEachTransport('C26 three branches, acked in any order: acked once, after the last', holding, held, async (t, run) => {
  for (const order of orders) run.feed('source', [order], { id: order });
  await run.settle();
  t.equal(run.executed('holder').length, 18);
  for (const [at, order] of orders.entries()) {
    const [first, second, third] = [...order];
    await tell(run, 'ack', `${order}/${first}`);
    await tell(run, 'ack', `${order}/${second}`);
    t.strictSame(run.acked('source'), orders.slice(0, at), `${order}: not before the last`);
    await tell(run, 'ack', `${order}/${third}`);
    t.strictSame(run.acked('source'), orders.slice(0, at + 1), `${order}: after the last`);
  }
  t.strictSame(run.failed('source'), []);
  t.equal(run.status().openTrees, 0);
});

onEachTransport('C28 a leaf that fails ends its tree at once, and once', holding, held, async (t, run) => {
  run.feed('source', ['x'], { id: 'x' });
  run.feed('source', ['y'], { id: 'y' });
  await run.settle();
  await tell(run, 'ack', 'x/a');
  await tell(run, 'fail', 'x/b');
  t.strictSame(run.failed('source'), ['x']);
  await tell(run, 'fail', 'x/c');
  for (const leaf of ['a', 'b', 'c']) await tell(run, 'ack', `y/${leaf}`);
  await run.advance('60s');
  t.strictSame(run.failed('source'), ['x'], 'nothing more for that tree');
  t.strictSame(run.acked('source'), ['y'], 'and others do not care');
  t.equal(run.status().components['source']?.stale, 1, 'the second fail named a tree that was over');
});

onEachTransport('C29 a tree without progress fails after its timeout', holding, held, async (t, run) => {
  for (const id of [1, 2, 3]) run.feed('source', [id], { id });
  await run.settle();
  for (const id of [1, 3]) for (const leaf of ['a', 'b', 'c']) await tell(run, 'ack', `${id}/${leaf}`);
  t.strictSame(run.acked('source'), [1, 3]);
  await run.advance('9s');
  t.strictSame(run.failed('source'), []);
  await run.advance('3s');
  t.strictSame(run.failed('source'), [2]);
  await run.advance('60s');
  t.strictSame(run.failed('source'), [2]);
  t.strictSame(run.acked('source'), [1, 3]);
});

onEachTransport('C29 progress and resetTimeout give a tree its whole timeout again', holding, held, async (t, run) => {
  for (const id of [1, 2, 3]) run.feed('source', [id], { id });
  await run.advance('6s');
  await tell(run, 'ack', '1/a');
  await tell(run, 'touch', '2/a');
  await run.advance('6s');
  t.strictSame(run.failed('source'), [3]);
  await run.advance('2s');
  t.strictSame(run.failed('source'), [3], 'at 8 s after the progress');
  await run.advance('4s');
  t.same(new Set(run.failed('source')), new Set([1, 2, 3]));
});

for (const tracking of [true, false]) {
  const title = `C32 ack and fail never come inside emit or nextTuple, ${tracking ? 'tracked' : 'not tracked'}`;
  onEachTransport(title, topologyUrl('calls'), { settings: { tracking } }, async (t, run) => {
    await settleUntil(run, () => run.printed.length === 6);
    const expected = range(6).map(
      (number) => `${tracking && number % 2 === 0 ? 'fail' : 'ack'} ${number} inside nothing`,
    );
    t.same(new Set(run.printed), new Set(expected));
    t.equal(run.printed.length, 6);
    t.equal((await run.completed).status, 'completed');
  });
}

onEachTransport('C33 what is emitted without an id is never acked or failed', holding, held, async (t, run) => {
  run.feed('source', ['x']);
  await run.settle();
  await tell(run, 'ack', 'x/a');
  await tell(run, 'fail', 'x/b');
  await run.advance('60s');
  t.strictSame(run.acked('source'), []);
  t.strictSame(run.failed('source'), []);
  t.equal(run.status().openTrees, 0);
});

onEachTransport(
  'C34 the ack of a child may come before that of its parent',
  topologyUrl('gated'),
  { fed: ['one-source', 'command'] },
  async (t, run, transport) => {
    const gate = `C34 ${transport.name}`;
    run.feed('one-source', [gate], { id: 1 });
    await run.settle();
    t.strictSame(run.executed('one-sink'), [[gate, 'before', 1]], 'the child is done');
    t.equal(run.status().components['one-sink']?.acked, 1);
    t.strictSame(run.acked('one-source'), [], 'and the tree is open');
    run.feed('command', [gate]);
    await run.settle();
    t.strictSame(run.acked('one-source'), [1]);
  },
);

onEachTransport(
  'C34 an ack that comes inside the emit that opens the tree is counted',
  topologyUrl('sharing'),
  { fed: ['source'] },
  async (t, run) => {
    for (const id of range(20)) run.feed('source', [id], { id });
    await run.settle();
    t.strictSame(run.acked('source'), range(20));
    t.equal(run.status().openTrees, 0);
  },
  [oneThread],
);

onEachTransport(
  'C36 without a timeout a tree may stay open for ever',
  holding,
  { ...held, settings: { messageTimeout: null } },
  async (t, run) => {
    run.feed('source', ['x'], { id: 'x' });
    await run.advance('24h');
    await run.advance('24h');
    t.strictSame(run.failed('source'), []);
    t.equal(run.status().openTrees, 1);
    for (const leaf of ['a', 'b', 'c']) await tell(run, 'ack', `x/${leaf}`);
    t.strictSame(run.acked('source'), ['x']);
  },
);

onEachTransport(
  'C38 a bolt that throws fails its tuple, is reported, and goes on',
  topologyUrl('throwing'),
  { fed: ['source', 'batch-source'] },
  async (t, run) => {
    for (const what of ['throw', 'reject', 'text', 'null', 'good']) run.feed('source', [what], { id: what });
    await run.settle();
    t.strictSame(run.failed('source'), ['throw', 'reject', 'text', 'null']);
    t.strictSame(run.acked('source'), ['good']);
    const { errors, workerDeaths, state, components } = run.status();
    t.equal(state, 'active');
    t.equal(workerDeaths, 0, 'the worker lives');
    t.equal(errors.length, 4);
    t.equal(components['bolt']?.errors, 4);
    const [thrown, rejected] = errors;
    t.equal(thrown?.component, 'bolt');
    t.equal(thrown?.task, run.of('executed', 'bolt')[0]?.task);
    t.equal(thrown?.error.code, 'MILLRACE_TASK_THREW');
    t.match(thrown?.error.message, /"bolt".*thrown on purpose/);
    t.match(thrown?.error.stack, /throwing\.(ts|js):\d+/, 'with the stack of the user');
    t.match(rejected?.error.message, /rejected on purpose/);
  },
);

onEachTransport(
  'C38 an endBatch that throws fails all of its batch, and no other',
  topologyUrl('throwing'),
  { fed: ['source', 'batch-source'] },
  async (t, run) => {
    for (const id of ['batch', 'with it']) run.feed('batch-source', [id], { id });
    await run.settle();
    run.feed('batch-source', ['later'], { id: 'later' });
    await run.settle();
    const batched = run.printed.filter((line) => line.startsWith('batch of'));
    // Both came within one turn, or each had a batch of its own.
    const together = batched.includes('batch of 2');
    t.strictSame(run.failed('batch-source'), together ? ['batch', 'with it'] : ['batch']);
    t.strictSame(run.acked('batch-source'), together ? ['later'] : ['with it', 'later']);
    t.match(run.status().errors[0]?.error.message, /endBatch.*"batch".*the batch is refused/);
  },
);

onEachTransport(
  'C113 acking twice, or after failing, changes nothing and is counted',
  holding,
  held,
  async (t, run) => {
    run.feed('source', ['x'], { id: 'x' });
    run.feed('source', ['y'], { id: 'y' });
    await run.settle();
    await tell(run, 'ack', 'x/a');
    await tell(run, 'ack', 'x/a');
    t.equal(run.status().components['holder']?.misused, 1);
    await tell(run, 'ack', 'x/b');
    await tell(run, 'fail', 'x/b');
    t.strictSame(run.failed('source'), [], 'a leaf that was acked can not fail');
    await tell(run, 'ack', 'x/c');
    t.strictSame(run.acked('source'), ['x']);
    await tell(run, 'fail', 'y/a');
    await tell(run, 'ack', 'y/a');
    await tell(run, 'touch', 'y/a');
    t.strictSame(run.failed('source'), ['y']);
    t.strictSame(run.acked('source'), ['x']);
    t.equal(run.status().components['holder']?.misused, 4);
  },
);

onEachTransport(
  'C115 never more open trees than maxSpoutPending, and one ack lets one more out',
  holding,
  { ...held, settings: { maxSpoutPending: 3 } },
  async (t, run) => {
    for (const id of range(10)) run.feed('source', [id], { id });
    await run.settle();
    for (const done of range(8)) {
      t.strictSame(
        run.executed('branch'),
        range(Math.min(10, 3 + done)).map((id) => [id]),
      );
      t.equal(run.status().openTrees, Math.min(3, 10 - done));
      for (const leaf of ['a', 'b', 'c']) await tell(run, 'ack', `${done}/${leaf}`);
      t.strictSame(run.acked('source'), range(done + 1));
    }
    await tell(run, 'fail', '8/a');
    t.strictSame(run.failed('source'), [8], 'and a fail makes room as well');
  },
);

onEachTransport(
  'C115 what one call emits beyond maxSpoutPending waits unsent, in each task',
  topologyUrl('burst'),
  { fed: ['command'] },
  async (t, run) => {
    const tens = (numbers: readonly unknown[], from: number): number[] =>
      (numbers as number[]).filter((number) => number >= from && number < from + 10);
    await run.settle();
    t.equal(run.emitted('burst').length, 20, 'the calls have returned');
    for (const acks of range(21)) {
      for (const from of [0, 10]) {
        const took = tens(
          run.executed('holder').map(([number]) => number),
          from,
        );
        const acked = tens(run.acked('burst'), from).length;
        t.strictSame(took, range(Math.min(acked + 3, 10), from), `after ${acks} acks, ${acked} of them here`);
      }
      run.feed('command', ['next']);
      await run.settle();
    }
    t.equal(run.acked('burst').length, 20);
    run.endFeed('command');
    t.equal((await run.completed).status, 'completed');
  },
);

onEachTransport(
  'C115 an ack or a fail by hand, outside of any call, makes room at once',
  topologyUrl('outside'),
  { fed: ['source'] },
  async (t, run) => {
    for (const id of ['a', 'bad', 'b', 'c']) run.feed('source', [id], { id });
    await settleUntil(run, () => run.acked('source').length === 3);
    t.strictSame(run.acked('source'), ['a', 'b', 'c'], 'without any time going by');
    t.strictSame(run.failed('source'), ['bad']);
    t.match(run.status().errors[0]?.error.message, /written in vain/);
  },
);

onEachTransport(
  'C115 what waits unsent and cannot be sent fails, and no more than that',
  topologyUrl('refusing'),
  {},
  async (t, run) => {
    await settleUntil(run, () => run.status().state !== 'active');
    t.equal(run.status().state, 'completed');
    // Told by its emit, which throws, or by the tree that was opened for it.
    const atOnce = run.printed[0] === 'refused at once';
    t.ok(atOnce || run.printed[0] === 'refused failed');
    t.strictSame(
      run.printed.filter((line) => !line.startsWith('refused')),
      ['last is acked'],
    );
    t.equal(run.status().workerDeaths, 0);
    const codes = run.status().errors.map(({ error }) => error.code);
    t.strictSame(codes, atOnce ? [] : ['MILLRACE_EMIT_VALUE']);
  },
);

onEachTransport(
  'C115 what waits unsent leaves while the call that emitted it is under way',
  topologyUrl('awaiting'),
  {},
  async (t, run) => {
    await settleUntil(run, () => run.status().state !== 'active');
    t.equal(run.status().state, 'completed');
    t.strictSame(run.printed, ['all acked']);
    t.same(new Set(run.acked('awaiting')), new Set(range(10)));
  },
);
