// Which task runs where, which keys belong to whom, and what lies below what.

import fc from 'fast-check';
import t from 'tap';
import { keyGroupRange, taskIndexOfKeyGroup } from '../../../engine/plan/key-groups.js';
import { downstreamOf, planTasks, tasksOf } from '../../../engine/plan/plan.js';
import { describe } from './describe.js';

const parallelisms = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
const workers = fc.integer({ min: 1, max: 20 });

/** The largest and the smallest of some counts differ by at most one. */
function even(counts: readonly number[]): boolean {
  return Math.max(...counts) - Math.min(...counts) <= 1;
}

t.test('every task once, numbered densely in order; even load, in all and of each component', async (t) => {
  const property = fc.property(parallelisms, workers, (counts, workers) => {
    const plan = planTasks(describe(counts), workers);
    const wanted = counts.flatMap((count, component) =>
      Array.from({ length: count }, (_, index) => `${component}/${index}`),
    );
    if (plan.tasks.map(({ component, index }) => `${component}/${index}`).join() !== wanted.join()) return false;
    if (plan.tasks.some(({ task }, number) => task !== number) || plan.workers !== workers) return false;
    const loadOf = (tasks: readonly { readonly worker: number }[]): number[] =>
      Array.from({ length: workers }, (_, worker) => tasks.filter((task) => task.worker === worker).length);
    if (!even(loadOf(plan.tasks))) return false;
    return counts.every((_, component) => even(loadOf(tasksOf(plan, String(component)))));
  });
  fc.assert(property, { numRuns: 300 });
  t.pass('300 runs');
});

t.test('the same topology gives the same plan', async (t) => {
  fc.assert(
    fc.property(parallelisms, workers, (counts, workers) => {
      const [one, other] = [planTasks(describe(counts), workers), planTasks(describe(counts), workers)];
      return JSON.stringify(one) === JSON.stringify(other);
    }),
  );
  const plan = planTasks(describe([1, 2, 2, 1]), 2);
  t.strictSame(
    plan.tasks.map(({ worker }) => worker),
    [0, 0, 1, 0, 1, 1],
    'pinned: a change here moves tasks of running topologies',
  );
});

t.test('tasks of components with as many tasks as workers stand side by side', async (t) => {
  const plan = planTasks(describe([4, 8, 4]), 4);
  for (const { index, worker } of plan.tasks) t.equal(worker, index % 4);
});

t.test('what lies below', async (t) => {
  const topology = describe([1, 1, 1, 1, 1], [[], [0], [1], [0, 2], [0]]);
  const below = (...from: number[]): string[] => [...downstreamOf(topology, new Set(from.map(String)))].sort();
  t.strictSame(below(0), ['1', '2', '3', '4']);
  t.strictSame(below(1), ['2', '3']);
  t.strictSame(below(3), []);
  t.strictSame(below(), []);
  t.strictSame(below(1, 2), ['2', '3'], 'one that takes from another of them is below it');
});

t.test('key groups: contiguous ranges that part all groups, the same way from both sides', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 2000 }),
    fc.integer({ min: 1, max: 2000 }),
    (keyGroups, some) => {
      const parallelism = Math.min(some, keyGroups);
      let next = 0;
      for (let index = 0; index < parallelism; index++) {
        const { first, end } = keyGroupRange(index, keyGroups, parallelism);
        if (first !== next || end <= first) return false;
        if (end - first > Math.ceil(keyGroups / parallelism)) return false;
        for (let group = first; group < end; group++) {
          if (taskIndexOfKeyGroup(group, keyGroups, parallelism) !== index) return false;
        }
        next = end;
      }
      return next === keyGroups;
    },
  );
  fc.assert(property, { numRuns: 300 });
  for (let parallelism = 1; parallelism <= 1024; parallelism++) {
    for (let group = 0; group < 1024; group++) {
      const { first, end } = keyGroupRange(taskIndexOfKeyGroup(group, 1024, parallelism), 1024, parallelism);
      if (group < first || group >= end) t.fail(`group ${group} of ${parallelism} tasks`);
    }
  }
  t.pass('every parallelism up to 1,024');
});
