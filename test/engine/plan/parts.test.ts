// Components that ask for other hosts, or are to be kept apart: which workers are for what, and that plans, and the
// moves between them, keep to it.

import fc from 'fast-check';
import t from 'tap';
import { failure } from '../../../engine/errors.js';
import { PLACEMENTS } from '../../../engine/model/definition.js';
import type { TopologyDescription } from '../../../engine/model/describe.js';
import { groupComponents, workerGroups, workersMin, type Grouped } from '../../../engine/model/worker-groups.js';
import { checkChange } from '../../../engine/plan/check-change.js';
import { planTasks, type Plan } from '../../../engine/plan/plan.js';
import { replan } from '../../../engine/plan/replan.js';
import { describe } from './describe.js';

const grouped: fc.Arbitrary<readonly Grouped[]> = fc
  .array(
    fc.record({
      parallelism: fc.integer({ min: 1, max: 9 }),
      labels: fc.oneof(fc.constant([]), fc.subarray(['x', 'y'])),
      apart: fc.option(fc.nat(7), { nil: null, freq: 2 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((all) =>
    all.map(({ parallelism, labels, apart }, index) => ({
      id: String(index),
      parallelism,
      labels,
      ...(apart !== null && apart < all.length && apart !== index && { apart: String(apart) }),
    })),
  );

function described(components: readonly Grouped[], placement: (typeof PLACEMENTS)[number]): TopologyDescription {
  const plain = describe(
    components.map(({ parallelism }) => parallelism),
    [],
    placement,
  );
  const where = components.map(({ labels = [], apart }) => ({ labels, ...(apart !== undefined && { apart }) }));
  return { ...plain, components: plain.components.map((each, index) => ({ ...each, ...where[index] })) };
}

/** What a plan does that it may not. */
function faults(components: readonly Grouped[], plan: Plan): string[] {
  const { groups, groupOf } = groupComponents(components);
  const isFor = workerGroups(groups, plan.workers);
  const isEnough = plan.workers >= workersMin(groups);
  const inWorker = isFor.map(() => new Set<string>());
  for (const { component, worker } of plan.tasks) inWorker[worker]!.add(component);
  return [
    ...plan.tasks.flatMap(({ component, worker }) => {
      return isFor[worker]!.includes(groupOf.get(component)!) ? [] : `${component} in worker ${worker}`;
    }),
    ...components.flatMap(({ id, apart }) => {
      const isTogether = apart !== undefined && inWorker.some((here) => here.has(id) && here.has(apart));
      return isTogether && isEnough ? `${id} beside ${apart}` : [];
    }),
  ];
}

void t.test('what workers are for, drawn in worker-groups.ts', (t) => {
  const { groups, groupOf } = groupComponents([
    { id: 'a', parallelism: 4 },
    { id: 'b', parallelism: 1, labels: ['gpu'] },
    { id: 'c', parallelism: 1, apart: 'a' },
    { id: 'd', parallelism: 2, labels: ['gpu', 'gpu'] },
  ]);
  t.strictSame(groups, [
    { labels: [], tasks: 4, apart: [2] },
    { labels: ['gpu'], tasks: 3, apart: [] },
    { labels: [], tasks: 1, apart: [0] },
  ]);
  t.strictSame([...groupOf.values()], [0, 1, 2, 1]);
  t.equal(workersMin(groups), 2);
  t.strictSame(workerGroups(groups, 2), [[0, 1], [2]]);
  t.strictSame(workerGroups(groups, 3), [[0], [2], [1]]);
  t.strictSame(workerGroups(groups, 6), [[0], [2], [1], [0], [1], [0]]);
  t.strictSame(workerGroups(groups, 1), [[0, 1, 2]], 'one process has no choice');
  t.end();
});

void t.test('workers that are there may stay when more come', (t) => {
  fc.assert(
    fc.property(grouped, fc.integer({ min: 1, max: 20 }), (components, workers) => {
      const { groups } = groupComponents(components);
      const few = workerGroups(groups, workers);
      const more = workerGroups(groups, workers + 1);
      if (few.some((own, worker) => more[worker]!.some((group) => !own.includes(group)))) throw new Error('grows');
      if (new Set(few.flat()).size !== groups.length) throw new Error('a group has no worker');
      const isApart = few.every((own) => own.every((one) => own.every((other) => !groups[one]!.apart.includes(other))));
      if (!isApart && workers >= workersMin(groups)) throw new Error('not apart');
    }),
  );
  t.pass('whatever the components');
  t.end();
});

void t.test('plans and moves keep every task where it may be', (t) => {
  const counts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(grouped, fc.constantFrom(...PLACEMENTS), counts, (components, placement, steps) => {
      const topology = described(components, placement);
      let plan = planTasks(topology, steps[0]!);
      for (const workers of steps) {
        const moves = replan(topology, plan, { workers, parallelism: { 0: (workers % 5) + 1 } });
        plan = moves.plan;
        const wrong = faults(components, plan);
        if (wrong.length > 0) throw new Error(wrong.join());
        if (plan.tasks.some(({ worker }) => worker >= workers)) throw new Error('no such worker');
        const again = replan(topology, plan, { workers });
        if (again.moved.length > 0) throw new Error('moves what is where it should be');
      }
    }),
    { numRuns: 300 },
  );
  t.pass('whatever comes');
  t.end();
});

void t.test('a rebalance to fewer workers than can be kept apart is refused', (t) => {
  const topology = described(
    [
      { id: '0', parallelism: 1 },
      { id: '1', parallelism: 1, apart: '0' },
    ],
    'together',
  );
  const plan = planTasks(topology, 2);
  t.throws(
    () => checkChange(topology, plan, { workers: 1 }),
    failure('MILLRACE_REBALANCE_APART', { topology: 'planned', workers: 1, workersMin: 2 }),
  );
  t.doesNotThrow(() => checkChange(topology, plan, { workers: 3 }));
  t.end();
});
