// Random topologies that are rebalanced again and again while they run, on virtual time in the test's own thread: no
// record is lost or seen twice, order holds for each sender and key, no key is in two tasks at once, and the end comes.

import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../../engine/random.js';
import { TestRun } from '../../../engine/testing/kit.js';
import { tinyLimits } from './limits.js';
import { PARTITIONS, randomPlan, World } from './world.js';

const RUNS = Number(process.env['MILLRACE_REBALANCE_RUNS'] ?? 40);

interface Done {
  readonly world: World;
  readonly rebalances: number;
}

async function runOnce(seed: number): Promise<Done> {
  const random = new Random(seed);
  const world = new World(randomPlan(random));
  const run = await TestRun.start(world.topology, {
    workers: 1 + random.nextBelow(3),
    seed,
    record: false,
    strict: random.nextBelow(2) === 0,
    limits: random.nextBelow(2) === 0 ? tinyLimits : {},
  });
  let over = false;
  let asked = 0;
  let rebalances = 0;
  void run.completed.then(() => (over = true));
  const components = ['records', ...world.plan.layers.map(({ id }) => id)];
  const errors: unknown[] = [];
  for (let step = 0; step < 400 && !over; step++) {
    if (asked < 8 && random.nextBelow(3) > 0) {
      asked++;
      const parallelism: Record<string, number> = {};
      for (const id of components) if (random.nextBelow(3) === 0) parallelism[id] = 1 + random.nextBelow(5);
      const change = { parallelism, ...(random.nextBelow(2) === 0 ? { workers: 1 + random.nextBelow(4) } : {}) };
      const done = run.rebalance(change).then(
        () => rebalances++,
        (error: unknown) => errors.push(error),
      );
      if (random.nextBelow(3) > 0) await Promise.race([done, steps(run, random.nextBelow(40))]);
    }
    await steps(run, 1 + random.nextBelow(5));
    if (step > 100) await run.advance('1s');
  }
  if (!over) {
    world.problem(`it did not end: ${JSON.stringify(run.status().components, null, 1)}`);
    await run.close();
  }
  const outcome = await run.completed;
  if (outcome.status !== 'completed') world.problem(`it ended as ${outcome.status}: ${outcome.error?.message ?? ''}`);
  for (const error of errors) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    if (
      code !== 'MILLRACE_REBALANCE_BUSY' &&
      code !== 'MILLRACE_REBALANCE_ENDED' &&
      code !== 'MILLRACE_REBALANCE_STATE'
    )
      world.problem(message);
  }
  return { world, rebalances };
}

/** Lets the workers have some turns. */
async function steps(_run: TestRun, count: number): Promise<void> {
  for (let step = 0; step < count; step++) await new Promise((resolve) => setImmediate(resolve));
}

function check({ world, rebalances }: Done): void {
  const { plan } = world;
  const all = PARTITIONS * plan.perPartition;
  const records = [...Array(PARTITIONS).keys()].flatMap((at) =>
    Array.from({ length: plan.perPartition }, (_, seq) => `p${at}/${seq}`),
  );
  for (const record of records) {
    if (world.acked.get(record) !== 1) world.problem(`${record} was acked ${world.acked.get(record) ?? 0} times`);
  }
  if (world.failed.size > 0) world.problem(`${world.failed.size} records failed`);
  for (const layer of plan.layers) {
    const { count, holders } = world.seen.get(layer.id)!;
    for (const [key, tasks] of holders) {
      // It goes from task to task with a rebalance, and never to and fro.
      if (tasks.length > rebalances + 2) world.problem(`${layer.id}: key ${key} was in ${tasks.join()}`);
    }
    for (const record of records) {
      const times = count.get(record) ?? 0;
      if (layer.grouping === 'all' ? times < 1 : times !== 1) {
        world.problem(`${layer.id} saw ${record} ${times} times, of ${all} records`);
      }
    }
  }
  if (world.problems.length > 0) throw new Error(`${world.problems.join('\n')}\n${JSON.stringify(plan)}`);
}

t.test('random rebalances of random topologies', { timeout: 120_000 }, async (t) => {
  let rebalances = 0;
  const seeds = process.env['MILLRACE_REBALANCE_SEED'];
  const arbitrary = seeds === undefined ? fc.integer({ min: 1, max: 0x7fffffff }) : fc.constant(Number(seeds));
  const property = fc.asyncProperty(arbitrary, async (seed) => {
    const done = await runOnce(seed);
    check(done);
    rebalances += done.rebalances;
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  t.ok(rebalances > RUNS, `${rebalances} rebalances in ${RUNS} runs`);
});
