// How long the master takes to plan: one look at all topologies of a cluster, at first, after a tenth of the hosts is
// lost, and when nothing has changed; and the plan of the tasks of one large topology, as each of its hosts makes it.

import { planTasks } from '../../../engine/plan/plan.js';
import { replan } from '../../../engine/plan/replan.js';
import { crowd, plan, withoutSome } from '../../coordination/master/scale.js';
import { describe } from '../../engine/plan/describe.js';
import { spreadOf, type TableReport } from '../report.js';
import type { Table } from '../tables.js';

const ROUNDS = 5;
const TASKS = 10_000;
const WORKERS = 256;

export const planTables: readonly Table[] = [
  { label: 'hosts', measure: () => Promise.resolve(hostsTable([100, 1000])) },
  { label: 'tasks', measure: () => Promise.resolve(tasksTable()) },
];

function hostsTable(counts: readonly number[]): TableReport {
  const rows = counts.flatMap((count) => {
    const all = crowd(count);
    const fewer = withoutSome(all);
    const workers = all.wishes.reduce((sum, wish) => sum + wish.workers, 0);
    const first = plan(all, new Map()).after;
    const lost = plan(fewer, first).after;
    const row = (what: string, call: () => unknown): (string | number)[] => [
      what,
      count,
      all.wishes.length,
      workers,
      ...timed(call),
    ];
    return [
      row('place all', () => plan(all, new Map())),
      row('lose a tenth of the hosts', () => plan(fewer, first)),
      row('nothing has changed', () => plan(fewer, lost)),
    ];
  });
  const columns = ['', 'hosts', 'topologies', 'workers', 'ms min', 'median', 'max'];
  return { kind: 'table', benchmark: 'plan', title: 'One look of the master', columns, rows, flags: [] };
}

function tasksTable(): TableReport {
  const topology = describe(Array.from({ length: 100 }, () => TASKS / 100));
  const before = planTasks(topology, WORKERS);
  const rows = [
    ['plan', TASKS, WORKERS, ...timed(() => planTasks(topology, WORKERS))],
    ['one worker less', TASKS, WORKERS - 1, ...timed(() => replan(topology, before, { workers: WORKERS - 1 }))],
  ];
  const columns = ['', 'tasks', 'workers', 'ms min', 'median', 'max'];
  return { kind: 'table', benchmark: 'plan', title: 'Tasks of one topology', columns, rows, flags: [] };
}

/** Milliseconds of some calls, after one that is not counted. */
function timed(call: () => unknown): readonly [number, number, number] {
  call();
  const times = Array.from({ length: ROUNDS }, () => {
    const startMs = performance.now();
    call();
    return performance.now() - startMs;
  });
  const { min, median, max } = spreadOf(times);
  return [min, median, max];
}
