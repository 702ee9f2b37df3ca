// The benchmarks whose sides take turns: each side is there, what it emitted has arrived, and what it should count is
// counted.

import t from 'tap';
import { hasAllFields, sidesOf, smoke } from './kit.js';

const WORDS_IN_FIVE = 6 + 8 + 6 + 6 + 6;
const PLACES = 4;

for (const [name, hops] of [
  ['null', 1],
  ['id', 1],
] as const) {
  t.test(`${name} in one thread`, async (t) => {
    const sides = sidesOf(await smoke(t, [`${name}/one`]));
    t.same(
      sides.map(({ side }) => side),
      ['plain loop', 'one thread, tracked', 'one thread, untracked'],
    );
    for (const side of sides) {
      hasAllFields(t, side);
      const [{ emitted, acked, arrived }] = side.counts as [(typeof side.counts)[0]];
      t.ok(emitted > 0, `${side.side} has done something`);
      t.equal(arrived, emitted * hops, `${side.side}: everything arrived`);
      t.equal(
        acked,
        side.labels.includes('tracked') ? emitted : 0,
        `${side.side}: trees are acked where there are any`,
      );
    }
  });
}

t.test('words in all places', async (t) => {
  const sides = sidesOf(await smoke(t, ['words']));
  t.equal(sides.length, 1 + 2 * PLACES, 'the loop, and each place tracked and not');
  for (const side of sides) {
    hasAllFields(t, side);
    t.equal(side.reference, 'plain loop');
    t.equal(side.latency !== null, side.labels.includes('tracked'), `${side.side}: trees have a latency`);
    const [{ emitted, acked, failed, arrived }] = side.counts as [(typeof side.counts)[0]];
    t.ok(emitted > 0, `${side.side} has done something`);
    t.equal(failed, 0);
    t.equal(acked, side.labels.includes('tracked') ? emitted : 0);
    // Two spouts count their sentences each for itself.
    const most = side.labels.includes('planned') ? 2 : 1;
    const whole = Math.floor(emitted / 5) * WORDS_IN_FIVE;
    t.ok(Math.abs(arrived - whole) <= most * WORDS_IN_FIVE, `${side.side}: ${arrived} words of ${emitted} sentences`);
  }
});

t.test('books and flights beside the loop', async (t) => {
  const sides = sidesOf(await smoke(t, ['moby-dick/one/tracked', 'flights/one/tracked']));
  t.same(
    sides.map(({ benchmark, side }) => `${benchmark}: ${side}`),
    ['moby-dick: plain loop', 'moby-dick: one thread, tracked', 'flights: plain loop', 'flights: one thread, tracked'],
  );
  for (const side of sides) hasAllFields(t, side);
  for (const { counts, benchmark } of sides) {
    const [{ emitted, arrived }] = counts as [(typeof counts)[0]];
    if (benchmark === 'flights') t.equal(arrived, emitted, 'a mean for each flight');
    else t.ok(arrived > emitted, 'some words a line');
  }
});

t.test('peers in this thread do the same work', async (t) => {
  const peers = ['--peer', 'streams', '--peer', 'rxjs'];
  const sides = sidesOf(await smoke(t, ['null/one/tracked', 'id/one/tracked', 'words/one/tracked'], ...peers));
  for (const side of sides) hasAllFields(t, side);
  const found = sides.filter(({ labels }) => labels.includes('rxjs') || labels.includes('streams'));
  t.equal(found.length, 6, 'each peer with each topology');
  for (const { side, benchmark, counts } of found) {
    const [{ emitted, arrived }] = counts as [(typeof counts)[0]];
    const words = Math.floor(emitted / 5) * WORDS_IN_FIVE;
    if (benchmark === 'words') t.ok(arrived >= words && arrived <= words + WORDS_IN_FIVE, `${side}: ${arrived} words`);
    else t.equal(arrived, emitted, `${side}: everything arrived`);
  }
});

t.test('pairs that answer one question', async (t) => {
  const sides = sidesOf(await smoke(t, ['tracking/one', 'planner', 'work', 'hosts']));
  t.same(
    sides.map(({ benchmark, side }) => `${benchmark}: ${side}`),
    [
      'tracking: one thread, untracked',
      'tracking: one thread, tracked',
      'planner: one thread, tracked',
      'planner: two threads, as written, tracked',
      'planner: two threads, as planned, tracked',
      'work: one thread, tracked',
      'work: two threads, as planned, tracked',
      'hosts: one thread, tracked',
      'hosts: three threads, every hop crossing, tracked',
      'hosts: three processes over TCP, tracked',
    ],
  );
  for (const side of sides) hasAllFields(t, side);
});

t.test('idle topologies emit nothing', async (t) => {
  const sides = sidesOf(await smoke(t, ['idle']));
  t.equal(sides.length, 2);
  for (const { counts } of sides) t.same(counts, [{ emitted: 0, acked: 0, failed: 0, arrived: 0 }]);
});

t.test('a steady load is kept to, in one thread and in two', async (t) => {
  const sides = sidesOf(await smoke(t, ['latency/1k/one', 'latency/1k/crossing', 'latency/50%/one']));
  t.ok(sides.some(({ labels }) => labels.includes('crossing')));
  for (const side of sides) {
    hasAllFields(t, side);
    t.not(side.latency, null, `${side.side} has a latency`);
    for (const { emitted, acked } of side.counts) t.equal(acked, emitted);
  }
});

t.test('the engine without metrics is what it says', async (t) => {
  const sides = sidesOf(await smoke(t, ['metrics/one']));
  t.same(
    sides.map(({ side }) => side),
    ['one thread, without metrics', 'one thread, with metrics'],
  );
  for (const { perSecond, side } of sides) t.ok(perSecond.max > 0, side);
});
