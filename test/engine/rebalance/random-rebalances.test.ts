// Random topologies that are rebalanced again and again while they run, on virtual time in the test's own thread: no
// record is lost or seen twice, order holds for each sender and key, no key is in two tasks at once, and the end comes.
// Where workers die in between, each record is seen at least once, and the end comes all the same.

import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../../engine/random.js';
import { TestRun } from '../../../engine/testing/kit.js';
import { tinyLimits } from './limits.js';
import { PARTITIONS, randomPlan, World } from './world.js';

const RUNS = Number(process.env['MILLRACE_REBALANCE_RUNS'] ?? 15);
const SEED = process.env['MILLRACE_REBALANCE_SEED'];
/** A rebalance comes too late, or a worker dies or a spout cannot be opened before it has begun: all is as it was. */
const REFUSED = [
  'MILLRACE_WORKER_START',
  ...['BUSY', 'ENDED', 'STATE', 'WORKER_DIED'].map((what) => `MILLRACE_REBALANCE_${what}`),
];
const STEPS_MAX = 600;

interface Done {
  readonly world: World;
  readonly rebalances: number;
}

async function runOnce(seed: number, crashes: boolean): Promise<Done> {
  const random = new Random(seed);
  const world = new World(randomPlan(random, crashes));
  world.strict = !crashes;
  const run = await TestRun.start(world.topology, {
    workers: 1 + random.nextBelow(3),
    seed,
    record: false,
    strict: random.nextBelow(2) === 0,
    limits: random.nextBelow(2) === 0 ? tinyLimits : {},
  });
  let over = false;
  void run.completed.then(() => (over = true));
  let asked = 0;
  let rebalances = 0;
  let deaths = 0;
  const errors: unknown[] = [];
  for (let step = 0; step < STEPS_MAX && !over; step++) {
    if (asked < 8 && random.nextBelow(3) > 0) {
      asked++;
      world.refusesNext = random.nextBelow(4) === 0;
      const done = run.rebalance(randomChange(random, world)).then(
        () => rebalances++,
        (error: unknown) => errors.push(error),
      );
      if (random.nextBelow(3) > 0) await Promise.race([done, steps(random.nextBelow(40))]);
    }
    if (crashes && deaths < 4 && random.nextBelow(5) === 0) {
      deaths++;
      await run.crash(random.nextBelow(run.status().workers));
    }
    await steps(1 + random.nextBelow(5));
    // Times of components go by, and those of what waits for the dead.
    if (step > 100) await run.advance('1s');
  }
  if (!over) world.problem(`it did not end: ${JSON.stringify(run.status().components)}`);
  const outcome = over ? await run.completed : await run.close();
  if (outcome.status !== 'completed') world.problem(`it ended as ${outcome.status}: ${outcome.error?.message ?? ''}`);
  for (const error of errors) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    if (code === undefined || !REFUSED.includes(code)) world.problem(message);
  }
  return { world, rebalances };
}

function randomChange(random: Random, { plan }: World) {
  const parallelism: Record<string, number> = {};
  for (const id of ['records', ...plan.layers.map((layer) => layer.id)]) {
    if (random.nextBelow(3) === 0) parallelism[id] = 1 + random.nextBelow(5);
  }
  return { parallelism, ...(random.nextBelow(2) === 0 ? { workers: 1 + random.nextBelow(4) } : {}) };
}

/** Lets the workers have some turns. */
async function steps(count: number): Promise<void> {
  for (let step = 0; step < count; step++) await new Promise((resolve) => setImmediate(resolve));
}

function check({ world, rebalances }: Done): void {
  const { plan, strict } = world;
  const isWrong = (times: number): boolean => (strict ? times !== 1 : times < 1);
  const records = [...Array(PARTITIONS).keys()].flatMap((at) =>
    Array.from({ length: plan.perPartition }, (_, seq) => `p${at}/${seq}`),
  );
  for (const record of records) {
    const times = world.acked.get(record) ?? 0;
    if (isWrong(times)) world.problem(`${record} was acked ${times} times`);
  }
  if (strict && world.failed.size > 0) world.problem(`${world.failed.size} records failed`);
  for (const layer of plan.layers) {
    const { count, holders } = world.seen.get(layer.id)!;
    for (const record of records) {
      const times = count.get(record) ?? 0;
      const isMissing = layer.grouping === 'all' ? times < 1 : isWrong(times);
      if (isMissing) world.problem(`${layer.id} saw ${record} ${times} times`);
    }
    // A key goes from task to task with a rebalance, and never to and fro. One that was still asked for counts too.
    for (const [key, tasks] of holders) {
      if (tasks.length > rebalances + 2) world.problem(`${layer.id}: key ${key} was in ${tasks.join()}`);
    }
  }
  if (world.problems.length > 0) throw new Error(`${world.problems.join('\n')}\n${JSON.stringify(plan)}`);
}

for (const crashes of [false, true]) {
  const title = `random rebalances of random topologies${crashes ? ', workers die' : ''}`;
  void t.test(title, { timeout: 120_000 }, async (t) => {
    let rebalances = 0;
    let refusals = 0;
    const seeds = SEED === undefined ? fc.integer({ min: 1, max: 0x7fffffff }) : fc.constant(Number(SEED));
    const property = fc.asyncProperty(seeds, async (seed) => {
      const done = await runOnce(seed, crashes);
      check(done);
      rebalances += done.rebalances;
      refusals += done.world.refusals;
    });
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    t.comment(`${rebalances} rebalances in ${RUNS} runs, ${refusals} refused by a spout`);
    t.ok(rebalances > 0 || SEED !== undefined);
  });
}
