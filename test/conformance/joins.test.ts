// Tuples that belong to several trees, as joins and batches make them: C26, C28, C29 and C113 hold for each of their
// trees, on one thread and across workers.

import type { TestRun } from 'millrace/testing';
import { linked, onEachTransport, range, topologyUrl } from './transports.js';

const joining = topologyUrl('joining');
const fed = ['left', 'right', 'items', 'whole', 'command'];

async function tell(run: TestRun, verb: 'ack' | 'fail' | 'touch', leaf: string): Promise<void> {
  run.feed('command', [verb, leaf]);
  await run.settle();
}

onEachTransport('C26 a join is in the trees of both spouts, and ends both', joining, { fed }, async (t, run) => {
  for (const key of ['a', 'b', 'c', 'd']) run.feed('left', [key], { id: `l${key}` });
  await run.settle();
  t.equal(run.status().openTrees, 4, 'they wait for their others');
  for (const key of ['d', 'c', 'b', 'a']) run.feed('right', [key], { id: `r${key}` });
  await run.settle();
  t.equal(run.executed('holder').length, 8);
  t.equal(run.status().openTrees, 8);
  for (const [done, key] of ['b', 'a', 'd', 'c'].entries()) {
    await tell(run, 'ack', `${key}/1/y`);
    t.equal(run.acked('left').length, done, 'not before the last leaf');
    await tell(run, 'ack', `${key}/1/x`);
    t.equal(run.acked('left').at(-1), `l${key}`);
    t.equal(run.acked('right').at(-1), `r${key}`);
  }
  t.equal(run.status().openTrees, 0);
  t.strictSame([run.failed('left'), run.failed('right')], [[], []]);
});

onEachTransport('C28 what fails below a join fails the trees of both spouts', joining, { fed }, async (t, run) => {
  for (const key of ['a', 'bad', 'c']) {
    run.feed('left', [key], { id: `l${key}` });
    run.feed('right', [key], { id: `r${key}` });
  }
  await run.settle();
  t.strictSame([run.failed('left'), run.failed('right')], [['lbad'], ['rbad']]);
  for (const spout of ['left', 'right']) {
    const [{ failure } = {}] = run.of('failed', spout);
    t.equal(failure?.cause, 'failed');
    t.equal(failure?.component, 'twice', 'and both are told by whom');
    t.equal(failure?.code, 'MILLRACE_TASK_THREW');
    t.equal(failure?.message, 'bad/1 is bad');
    t.equal(failure?.task, run.of('executed', 'twice').find(({ values }) => values[0] === 'bad/1')?.task);
  }
  await tell(run, 'fail', 'a/1/x');
  t.strictSame(
    [run.failed('left'), run.failed('right')],
    [
      ['lbad', 'la'],
      ['rbad', 'ra'],
    ],
  );
  t.match(run.of('failed', 'left').at(-1)?.failure, { code: 'MILLRACE_TASK_FAILED_TUPLE', component: 'holder' });
  for (const leaf of ['a/1/y', 'c/1/x', 'c/1/y']) await tell(run, 'ack', leaf);
  await run.advance('60s');
  t.strictSame([run.acked('left'), run.acked('right')], [['lc'], ['rc']]);
  t.equal(run.failed('left').length, 2, 'once');
});

onEachTransport('C26 a join of two tuples of one tree counts as one', joining, { fed }, async (t, run) => {
  // Four leaves of one tree are gathered, and the same again across trees.
  for (const id of range(5)) run.feed('whole', [`g${id}`], { id });
  await run.settle();
  t.equal(run.executed('gather').length, 20);
  t.equal(run.status().openTrees, 5);
  for (const id of range(5)) {
    await tell(run, 'ack', `g${id}/all/x`);
    t.equal(run.acked('whole').length, id);
    await tell(run, 'ack', `g${id}/all/y`);
    t.strictSame(run.acked('whole'), range(id + 1));
  }
});

onEachTransport('C26 a batch acks or fails all that it was made of', joining, { fed }, async (t, run) => {
  const size = 300;
  for (const group of ['good', 'wrong', 'bad']) {
    for (const id of range(size)) run.feed('items', [group, size], { id: `${group}${id}` });
  }
  await run.settle();
  const idsOf = (group: string): Set<string> => new Set(range(size).map((id) => `${group}${id}`));
  t.same(new Set(run.failed('items')), idsOf('bad'));
  for (const leaf of ['x', 'y']) await tell(run, 'ack', `good/all/${leaf}`);
  t.same(new Set(run.acked('items')), idsOf('good'));
  t.equal(run.acked('items').length, size);
  await tell(run, 'fail', 'wrong/all/x');
  t.equal(run.failed('items').length, 2 * size);
  t.equal(run.status().openTrees, 0);
});

onEachTransport(
  'C29 progress of a join, and resetTimeout, count for all its trees',
  joining,
  { fed },
  async (t, run) => {
    for (const key of ['a', 'b', 'c']) {
      run.feed('left', [key], { id: key });
      run.feed('right', [key], { id: key });
    }
    await run.advance('6s');
    await tell(run, 'touch', 'a/1/x');
    await tell(run, 'ack', 'b/1/x');
    await run.advance('6s');
    t.strictSame([run.failed('left'), run.failed('right')], [['c'], ['c']]);
    t.match(run.of('failed', 'left')[0]?.failure, { cause: 'timeout', code: 'MILLRACE_TREE_TIMEOUT', component: null });
    await run.advance('6s');
    t.same(new Set(run.failed('left')), new Set(['a', 'b', 'c']));
    t.same(new Set(run.failed('right')), new Set(['a', 'b', 'c']));
  },
);

onEachTransport(
  'C113 a tuple that is settled anchors nothing, with others or alone',
  joining,
  { fed },
  async (t, run) => {
    run.feed('left', ['settled'], { id: 1 });
    run.feed('right', ['settled'], { id: 2 });
    await run.settle();
    t.strictSame(run.printed, ['MILLRACE_EMIT_ANCHOR']);
    t.equal(run.status().components['join']?.misused, 1);
    t.strictSame(run.executed('twice'), [['settled/1']]);
    for (const leaf of ['x', 'y']) await tell(run, 'ack', `settled/1/${leaf}`);
    t.strictSame([run.acked('left'), run.acked('right')], [[1], [2]]);
  },
);

onEachTransport('C33 a join with what is not tracked is in the other tree alone', joining, { fed }, async (t, run) => {
  run.feed('left', ['a']);
  run.feed('right', ['a'], { id: 1 });
  run.feed('left', ['b']);
  run.feed('right', ['b']);
  await run.settle();
  for (const leaf of ['a/1/x', 'a/1/y', 'b/1/x', 'b/1/y']) await tell(run, 'ack', leaf);
  t.strictSame([run.acked('left'), run.acked('right')], [[], [1]]);
  t.equal(run.status().openTrees, 0);
});

onEachTransport(
  'C114 joins of spouts of which one dies: what lives is replayed, what is dead is let go',
  joining,
  { fed, settings: { messageTimeout: null } },
  async (t, run) => {
    for (const worker of [0, 1]) {
      for (const key of range(20)) {
        run.feed('left', [`${worker}-${key}`], { id: key });
        run.feed('right', [`${worker}-${key}`], { id: key });
      }
      const crashed = run.crash(worker);
      for (const key of range(20, 20)) run.feed('left', [`${worker}-${key}`], { id: key });
      await crashed;
      await run.settle();
      for (const [place, key] of range(20, 20).entries()) {
        run.feed('right', [`${worker}-${key}`], { id: key });
        // Its other may have died with its worker.
        run.feed('left', [`${worker}-${key}`], { id: `again ${place}` });
      }
      await run.settle();
    }
    t.equal(run.status().workerDeaths, 2);
    t.equal(run.status().state, 'active');
    for (const spout of ['left', 'right']) {
      const ended = [...run.acked(spout), ...run.failed(spout)].length;
      t.ok(ended <= run.emitted(spout).length);
    }
    run.feed('left', ['last'], { id: 'last' });
    run.feed('right', ['last'], { id: 'last' });
    await run.settle();
    for (const leaf of ['x', 'y']) await tell(run, 'ack', `last/1/${leaf}`);
    t.ok(run.acked('left').includes('last') && run.acked('right').includes('last'));
  },
  linked,
);
