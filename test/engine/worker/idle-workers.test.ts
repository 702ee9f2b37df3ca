// Workers without a task: tasks that are placed together may leave some without. They start, live and end as others do,
// and whoever runs the topology is told of them once.

import t from 'tap';
import { defaultConfig } from '../../../engine/model/config.js';
import { IdleWorkers } from '../../../engine/worker/idle-workers.js';
import { TestRun, type TestOptions } from '../../../engine/testing/index.js';
import type { Plan } from '../../../engine/plan/plan.js';
import type { Logger } from '../../../engine/log.js';
import { rebalance } from '../../conformance/spreading.js';

const small = new URL('../testing/topologies/small.js', import.meta.url);
const settings = { placement: 'together' };

const transports: Readonly<Record<string, TestOptions>> = {
  ports: { workers: 2, links: 'ports' },
  TCP: { workers: 2, links: 'tcp' },
  threads: { workers: 2, threads: true },
};

/** A logger and the warnings that it was given. */
function listening(): { readonly logger: Logger; readonly warnings: string[] } {
  const warnings: string[] = [];
  const ignored = (): void => undefined;
  const warn = (message: string): void => void warnings.push(message);
  return { warnings, logger: { debug: ignored, info: ignored, error: ignored, warn } };
}

const warningOf = (idle: string): string =>
  `topology "small" has no task for ${idle}; raise the parallelism of a component, set "placement" to "spread", or ask for fewer workers`;

/** The workers that executed tuples of the last bolt. */
const workersOf = (run: TestRun): number[] => [...new Set(run.of('executed', 'last').map(({ worker }) => worker))];

t.test('they are named, a bounded number of them, and each once', async (t) => {
  const { logger, warnings } = listening();
  const idle = new IdleWorkers('small', logger);
  const plan = (workers: number, busy: readonly number[]): Plan => ({
    workers,
    tasks: busy.map((worker, task) => ({ task, component: 'a', index: task, worker })),
    nextTask: busy.length,
  });
  idle.tell(plan(2, [0, 1]));
  t.strictSame(warnings, []);
  idle.tell(plan(2, [1]));
  idle.tell(plan(3, [1]));
  idle.tell(plan(3, [0, 1, 2]));
  idle.tell(plan(13, [0]));
  t.strictSame(warnings, ['worker 0', 'worker 2', 'workers 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more'].map(warningOf));
});

for (const [name, options] of Object.entries(transports)) {
  t.test(`beside one that has them all, tuples are acked and nothing is left at the end (${name})`, async (t) => {
    const { logger, warnings } = listening();
    const run = await TestRun.start(small, { ...options, fed: ['source'], settings, logger });
    t.teardown(() => run.close());
    t.strictSame(warnings, [warningOf('worker 1')]);
    run.feed('source', ['one'], { id: 1 });
    await run.settle();
    t.strictSame(run.acked('source'), [1]);
    t.strictSame(workersOf(run), [0]);
    await run.deactivate();
    await run.activate();
    run.feed('source', ['two'], { id: 2 });
    run.endFeed('source');
    t.equal((await run.completed).status, 'completed');
    t.strictSame(run.acked('source'), [1, 2]);
    t.equal(warnings.length, 1, 'told once');
  });

  t.test(`one of them may die, and all of it may be drained or killed (${name})`, async (t) => {
    const run = await TestRun.start(small, { ...options, fed: ['source'], settings });
    t.teardown(() => run.close());
    await run.crash(1);
    run.feed('source', ['one'], { id: 1 });
    await run.settle();
    t.strictSame(run.acked('source'), [1]);
    t.equal(run.status().workerDeaths, 1);
    await run.crash(0);
    await run.settle();
    run.feed('source', ['two'], { id: 2 });
    await run.settle();
    t.strictSame(run.acked('source'), [1, 2]);
    run.drain();
    t.equal((await run.completed).status, 'killed');
    const killed = await TestRun.start(small, { ...options, fed: ['source'], settings });
    await killed.kill();
    t.equal((await killed.completed).status, 'killed');
  });

  t.test(`a rebalance gives them tasks, and takes them away (${name})`, async (t) => {
    const { logger, warnings } = listening();
    const run = await TestRun.start(small, { ...options, fed: ['source'], settings, logger });
    t.teardown(() => run.close());
    await rebalance(run, { workers: 3 });
    t.strictSame(warnings, ['worker 1', 'worker 2'].map(warningOf));
    await rebalance(run, { workers: 2, parallelism: { middle: 2, last: 2 } });
    for (let number = 0; number < 50; number++) run.feed('source', [`text ${number}`], { id: number });
    await run.settle();
    t.equal(run.acked('source').length, 50);
    await rebalance(run, { parallelism: { middle: 1, last: 1 } });
    t.strictSame(warnings.slice(2), [warningOf('worker 1')]);
    run.feed('source', ['last'], { id: 'last' });
    run.endFeed('source');
    t.equal((await run.completed).status, 'completed');
    t.equal(run.acked('source').length, 51);
    t.strictSame(run.failed('source'), []);
  });
}

t.test('no topology is told of them that has as many tasks as it has workers, spread out', async (t) => {
  const { logger, warnings } = listening();
  const run = await TestRun.start(small, { workers: 3, logger, settings: { placement: 'spread' } });
  await run.close();
  t.strictSame(warnings, []);
  t.equal(defaultConfig.placement, 'together');
});
