// Which task runs where, which keys belong to whom, and what lies below what.

import fc from 'fast-check';
import t from 'tap';
import { keyGroupRange, taskIndexOfKeyGroup } from '../../../engine/plan/key-groups.js';
import { PLACEMENTS, type Placement } from '../../../engine/model/definition.js';
import type { ComponentDescription, TopologyDescription } from '../../../engine/model/describe.js';
import { downstreamOf, idleWorkers, planTasks, tasksOf, type Plan, type TaskPlan } from '../../../engine/plan/plan.js';
import { anyTopology, describe } from './describe.js';

const workers = fc.integer({ min: 1, max: 20 });

/** The largest and the smallest of some counts differ by at most one. */
function even(counts: readonly number[]): boolean {
  return Math.max(...counts) - Math.min(...counts) <= 1;
}

/** How many of those tasks each worker has. */
function loadOf(tasks: readonly TaskPlan[], workers: number): number[] {
  return Array.from({ length: workers }, (_, worker) => tasks.filter((task) => task.worker === worker).length);
}

/** The workers of a component's tasks, in the order of their index. */
function placesOf(plan: Plan, component: string | number): number[] {
  return tasksOf(plan, String(component)).map(({ worker }) => worker);
}

for (const placement of PLACEMENTS) {
  t.test(`every task once, numbered densely in order; even load of each component, ${placement}`, async (t) => {
    const property = fc.property(anyTopology(placement), workers, (topology, workers) => {
      const plan = planTasks(topology, workers);
      const wanted = topology.components.flatMap(({ id, parallelism }) =>
        Array.from({ length: parallelism }, (_, index) => `${id}/${index}`),
      );
      if (plan.tasks.map(({ component, index }) => `${component}/${index}`).join() !== wanted.join()) return false;
      if (plan.tasks.some(({ task }, number) => task !== number) || plan.workers !== workers) return false;
      if (placement === 'spread' && !even(loadOf(plan.tasks, workers))) return false;
      return topology.components.every(({ id }) => even(loadOf(tasksOf(plan, id), workers)));
    });
    fc.assert(property, { numRuns: 300 });
    t.pass('300 runs');
  });

  t.test(`the same topology gives the same plan, ${placement}`, async (t) => {
    fc.assert(
      fc.property(anyTopology(placement), workers, (topology, workers) => {
        const copy = JSON.parse(JSON.stringify(topology)) as TopologyDescription;
        return JSON.stringify(planTasks(topology, workers)) === JSON.stringify(planTasks(copy, workers));
      }),
    );
    t.pass('100 runs');
  });
}

t.test('pinned: a change here moves tasks of running topologies', async (t) => {
  const places = (placement: Placement): number[] =>
    planTasks(describe([1, 2, 2, 1], [], placement), 2).tasks.map(({ worker }) => worker);
  t.strictSame(places('spread'), [0, 0, 1, 0, 1, 1]);
  t.strictSame(places('together'), [0, 0, 1, 0, 1, 0]);
  const drawn = planTasks(describe([1, 2, 1, 1, 4], [[], [0], [1], [], [3]]), 3);
  t.strictSame(
    [0, 1, 2, 3, 4].map((id) => placesOf(drawn, id)),
    [[0], [0, 1], [0], [2], [0, 1, 2, 2]],
    'as in the head of together.ts',
  );
});

t.test('tasks of components with as many tasks as workers stand side by side', async (t) => {
  for (const placement of PLACEMENTS) {
    const plan = planTasks(describe([4, 8, 4], [], placement), 4);
    for (const { index, worker } of plan.tasks) t.equal(worker, index % 4);
  }
});

t.test('together: chains of one task each stay in one worker, one chain to a worker', async (t) => {
  const one = planTasks(describe(Array.from({ length: 11 }, () => 1)), 2);
  t.strictSame(loadOf(one.tasks, 2), [11, 0]);
  t.strictSame(idleWorkers(one), [1]);
  const two = planTasks(describe([1, 1, 1, 1, 1, 1], [[], [0], [1], [], [3], [4, 2]]), 2);
  t.strictSame(
    two.tasks.map(({ worker }) => worker),
    [0, 0, 0, 1, 1, 1],
  );
  t.strictSame(idleWorkers(two), []);
  const spread = planTasks(describe([1, 1, 1], [], 'spread'), 2);
  t.strictSame(
    spread.tasks.map(({ worker }) => worker),
    [0, 1, 0],
  );
});

t.test('together: whatever the order they are written in, tasks stand beside those that they take from', async (t) => {
  const property = fc.property(
    fc.array(fc.record({ count: fc.integer({ min: 1, max: 12 }), from: fc.nat() }), { minLength: 1, maxLength: 10 }),
    fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
    workers,
    (chain, ranks, workers) => {
      const counts = chain.map(({ count }) => count);
      const source = chain.map(({ from }, index) => (index === 0 ? null : from % index));
      const ordered = describe(
        counts,
        source.map((from) => (from === null ? [] : [from])),
      );
      const rank = ({ id }: ComponentDescription): number => ranks[Number(id)]!;
      const components = [...ordered.components].sort((a, b) => rank(a) - rank(b));
      const plan = planTasks({ ...ordered, components }, workers);
      return source.every((from, id) => {
        if (from === null) return true;
        const [own, theirs] = [placesOf(plan, id), placesOf(plan, from)];
        if (own.length <= theirs.length) return own.every((worker, index) => worker === theirs[index]);
        return theirs.every((worker) => own.includes(worker));
      });
    },
  );
  fc.assert(property, { numRuns: 500 });
  t.pass('500 runs');
});

t.test('together: of several that a component takes from, the first one that has a place counts', async (t) => {
  const joined = planTasks(describe([1, 1, 1, 1], [[], [], [1, 0], [3, 0]]), 2);
  t.strictSame(
    joined.tasks.map(({ worker }) => worker),
    [0, 1, 1, 0],
    'and a cycle to itself is none',
  );
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
