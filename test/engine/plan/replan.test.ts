// What moves when the number of workers or the parallelism changes, and who hands over to whom then.

import fc from 'fast-check';
import t from 'tap';
import { keyGroupRange } from '../../../engine/plan/key-groups.js';
import { handOvers } from '../../../engine/plan/hand-overs.js';
import { PLACEMENTS } from '../../../engine/model/definition.js';
import { idleWorkers, planTasks, tasksOf, type Plan, type TaskPlan } from '../../../engine/plan/plan.js';
import { replan, type PlanChange } from '../../../engine/plan/replan.js';
import { anyTopology, describe } from './describe.js';

const workers = fc.integer({ min: 1, max: 12 });
const changes = fc.array(
  fc.record({ workers, parallelism: fc.dictionary(fc.constantFrom('0', '1', '2'), fc.integer({ min: 1, max: 40 })) }),
  { minLength: 1, maxLength: 5 },
);

function loads(plan: Plan): number[] {
  return Array.from(
    { length: plan.workers },
    (_, worker) => plan.tasks.filter((each) => each.worker === worker).length,
  );
}

/** Only components that there are. */
function known(change: PlanChange, components: number): PlanChange {
  const parallelism = Object.fromEntries(
    Object.entries(change.parallelism ?? {}).filter(([id]) => Number(id) < components),
  );
  return { ...change, parallelism };
}

function same(one: TaskPlan | undefined, other: TaskPlan): boolean {
  return one !== undefined && JSON.stringify(one) === JSON.stringify(other);
}

/** Tasks of the old plan whose index the new one has. */
function mayStay(before: Plan, after: Plan): TaskPlan[] {
  return before.tasks.filter(({ component, index }) => index < tasksOf(after, component).length);
}

/** The sum over components and workers of what a worker has of a component above what it is to have. */
function above(tasks: readonly TaskPlan[], wanted: Plan): number {
  const room = new Map<string, number>();
  for (const { component, worker } of wanted.tasks) {
    room.set(`${component} ${worker}`, (room.get(`${component} ${worker}`) ?? 0) + 1);
  }
  return tasks.reduce((sum, { component, worker }) => {
    const left = room.get(`${component} ${worker}`) ?? 0;
    room.set(`${component} ${worker}`, left - 1);
    return left > 0 ? sum : sum + 1;
  }, 0);
}

/** The least tasks that move to any plan with an even load: what loses its worker, and what is above the shares. */
function leastOfSpread(before: Plan, after: Plan): number {
  const stay = mayStay(before, after);
  const here = Array.from(
    { length: after.workers },
    (_, worker) => stay.filter((each) => each.worker === worker).length,
  ).sort((a, b) => b - a);
  const share = Math.floor(after.tasks.length / after.workers);
  const larger = after.tasks.length % after.workers;
  const least = here.reduce((sum, count, rank) => sum + Math.max(0, count - share - (rank < larger ? 1 : 0)), 0);
  return least + stay.filter(({ worker }) => worker >= after.workers).length;
}

/** As many of each component in each worker, as text. */
function layout(plan: Plan): string {
  const counts = new Map<string, number>();
  for (const { component, worker } of plan.tasks) {
    counts.set(`${component} ${worker}`, (counts.get(`${component} ${worker}`) ?? 0) + 1);
  }
  return [...counts]
    .map(([where, count]) => `${where}: ${count}`)
    .sort()
    .join();
}

for (const placement of PLACEMENTS) {
  t.test(`every task once, numbers of their own, and nothing moves that need not, ${placement}`, async (t) => {
    const property = fc.property(anyTopology(placement), workers, changes, (topology, first, all) => {
      let plan = planTasks(topology, first);
      const used = new Set(plan.tasks.map(({ task }) => task));
      const counts: Record<string, number> = {};
      for (const each of all) {
        const change = known(each, topology.components.length);
        const { plan: after, added, removed, moved } = replan(topology, plan, change);
        if (JSON.stringify(replan(topology, plan, change).plan) !== JSON.stringify(after)) throw new Error('chance');
        const before = new Map(plan.tasks.map((task) => [task.task, task]));
        topology.components.forEach(({ id }) => {
          const wanted = change.parallelism?.[id] ?? tasksOf(plan, id).length;
          counts[id] = wanted;
          const indexes = tasksOf(after, id).map(({ index }) => index);
          if (indexes.join() !== Array.from({ length: wanted }, (_, index) => index).join()) throw new Error('indexes');
        });
        const fresh = [...added, ...moved.map(({ to }) => to)];
        for (const task of after.tasks) {
          if (same(before.get(task.task), task)) continue;
          if (!fresh.includes(task) || used.has(task.task)) throw new Error('neither stays nor is new');
          used.add(task.task);
        }
        for (const { from, to } of moved) {
          if (from.component !== to.component || from.index !== to.index) throw new Error('moved to another index');
          if (after.tasks.some(({ task }) => task === from.task)) throw new Error('moved and there');
        }
        const gone = removed.length + moved.length;
        if (plan.tasks.length - gone !== after.tasks.length - fresh.length) throw new Error('numbers do not add up');
        const ideal = planTasks(topology, after.workers, counts);
        if (placement === 'together' && layout(after) !== layout(ideal)) throw new Error('not as a fresh plan');
        if (placement === 'spread' && Math.max(...loads(after)) - Math.min(...loads(after)) > 1) {
          throw new Error(`uneven ${loads(after).join()}`);
        }
        const least = placement === 'together' ? above(mayStay(plan, after), ideal) : leastOfSpread(plan, after);
        const really = moved.filter(({ from, to }) => from.worker !== to.worker).length;
        if (really !== least) throw new Error(`${really} moved where ${least} would do`);
        const resized = new Set(
          topology.components
            .filter((c) => c.kind === 'spout' && tasksOf(plan, c.id).length !== tasksOf(after, c.id).length)
            .map((c) => c.id),
        );
        if (moved.some(({ from, to }) => from.worker === to.worker && !resized.has(from.component))) {
          throw new Error('moved to its own place');
        }
        plan = after;
      }
      return true;
    });
    fc.assert(property, { numRuns: 200 });
    t.pass('200 runs');
  });
}

t.test('together: more workers than a chain needs change nothing, and more tasks use them', async (t) => {
  const topology = describe([1, 1, 1]);
  const before = planTasks(topology, 1);
  const wider = replan(topology, before, { workers: 3 });
  t.same(wider.plan.tasks, before.tasks);
  t.same(idleWorkers(wider.plan), [1, 2]);
  const more = replan(topology, wider.plan, { parallelism: { '1': 3 } });
  t.same(more.moved, []);
  t.same(
    more.added.map(({ worker }) => worker),
    [1, 2],
  );
});

t.test('no change at all keeps the plan', async (t) => {
  const topology = describe([2, 3, 4]);
  const plan = planTasks(topology, 3);
  const { plan: after, added, removed, moved } = replan(topology, plan, {});
  t.same(after, plan);
  t.same([added, removed, moved], [[], [], []]);
  const { changed, owners, waits, spouts } = handOvers(topology, plan, after);
  t.same([changed.size, owners.size, waits.size, spouts.length], [0, 0, 0, 0]);
});

t.test('10,000 tasks are planned anew at once', async (t) => {
  const parallelism = Object.fromEntries(Array.from({ length: 20 }, (_, id) => [String(id), id % 2 === 0 ? 60 : 140]));
  for (const placement of PLACEMENTS) {
    const all = Array.from({ length: 100 }, () => 100);
    const topology = describe(all, [], placement);
    const before = planTasks(topology, 200);
    const { plan } = replan(topology, before, { workers: 256, parallelism });
    t.equal(plan.tasks.length, 10_000);
    t.ok(handOvers(topology, before, plan).changed.size > 0);
  }
});

t.test('whoever owned a part of a range is waited for, and nobody else', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 1, max: 60 }),
    workers,
    workers,
    (was, is, from, to) => {
      const topology = describe([1, was]);
      const before = planTasks(topology, from);
      const { plan: after } = replan(topology, before, { workers: to, parallelism: { '1': is } });
      const { owners, waits, leaving, coming, successors } = handOvers(topology, before, after);
      const { keyGroups } = topology.config;
      const old = tasksOf(before, '1');
      for (const task of tasksOf(after, '1')) {
        const range = keyGroupRange(task.index, keyGroups, is);
        for (const owner of old) {
          const owned = keyGroupRange(owner.index, keyGroups, was);
          const overlap = owned.first < range.end && range.first < owned.end;
          const waited = (waits.get(task.task) ?? []).includes(owner.task);
          if (overlap && owner.task !== task.task && (was !== is || leaving.has(owner.task)) && !waited) return false;
          if (waited && !overlap && owner.index !== task.index) return false;
          if (waited && !owners.has(owner.task)) return false;
        }
      }
      for (const [gone, successor] of successors) if (!leaving.has(gone) || !coming.has(successor)) return false;
      return true;
    },
  );
  fc.assert(property, { numRuns: 300 });
  t.pass('300 runs');
});

t.test('spouts: one that moves is followed by one, and another parallelism begins them all anew', async (t) => {
  const topology = describe([4, 2]);
  const before = planTasks(topology, 2);
  const fewer = replan(topology, before, { workers: 1 });
  const pairs = handOvers(topology, before, fewer.plan).spouts;
  t.equal(pairs.length, 2);
  for (const { before: was, after: is } of pairs) {
    t.equal(was.length, 1);
    t.equal(is[0]!.index, was[0]!.index);
  }
  const more = replan(topology, before, { parallelism: { '0': 5 } });
  const [all] = handOvers(topology, before, more.plan).spouts;
  t.same([all!.before.length, all!.after.length], [4, 5]);
});
