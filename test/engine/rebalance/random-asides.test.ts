// Random topologies whose spouts stand aside and come back again and again under load, between rebalances and switches,
// on virtual time in the test's own thread: no record is lost or seen twice, and the end comes. Where workers die in
// between, each record is seen at least once, and the end comes all the same. Where the first version stands aside for
// good, what it had not done a second one does that stood by.

import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../../engine/random.js';
import { TestRun, type TestOptions } from '../../../engine/testing/kit.js';
import type { Checkpoint } from '../../../engine/worker/messages.js';
import { tinyLimits } from './limits.js';
import { PARTITIONS, randomPlan, World } from './world.js';

const RUNS = Number(process.env['MILLRACE_ASIDE_RUNS'] ?? 4);
const SEED = process.env['MILLRACE_ASIDE_SEED'];
/** What was asked came too late, or in the middle of something else, or a worker died: all is as it was. */
const REFUSED = [
  ...['BUSY', 'ENDED', 'STATE', 'WORKER_DIED'].map((what) => `MILLRACE_REBALANCE_${what}`),
  ...['STATE', 'CALLED_OFF'].map((what) => `MILLRACE_SPOUTS_${what}`),
];
const STEPS_MAX = 600;

interface Counted {
  asides: number;
  backs: number;
}

async function runOnce(seed: number, crashes: boolean, counted: Counted): Promise<World> {
  const random = new Random(seed);
  const world = new World(randomPlan(random, true));
  world.strict = !crashes;
  const errors: unknown[] = [];
  const refused = (error: unknown): void => void errors.push(error);
  const run = await TestRun.start(world.topology, optionsOf(random, seed));
  let over = false;
  void run.completed.then(() => (over = true));
  let asked = 0;
  let deaths = 0;
  for (let step = 0; step < STEPS_MAX && !over; step++) {
    const what = asked < 12 ? random.nextBelow(8) : 8;
    if (what < 7) asked++;
    if (what < 3) {
      const done = run.run.standAside().then(() => void counted.asides++, refused);
      if (random.nextBelow(3) > 0) await Promise.race([done, steps(random.nextBelow(60))]);
    } else if (what < 5 || what === 8) {
      const done = run.run.comeBack().then(() => void counted.backs++, refused);
      if (random.nextBelow(2) > 0) await Promise.race([done, steps(random.nextBelow(40))]);
    } else if (what === 5) {
      void run.rebalance({ workers: 1 + random.nextBelow(3) }).catch(refused);
    } else if (what === 6) {
      if (random.nextBelow(2) > 0) void run.run.deactivate();
    }
    if (what > 6) void run.run.activate();
    if (crashes && deaths < 5 && random.nextBelow(4) === 0) {
      deaths++;
      await run.crash(random.nextBelow(run.status().workers));
    }
    await steps(1 + random.nextBelow(5));
    if (step > 100) await run.advance('1s');
  }
  if (!over) world.problem(`it did not end: ${run.status().state} ${JSON.stringify(run.status().components)}`);
  const outcome = over ? await run.completed : await run.close();
  if (outcome.status !== 'completed') world.problem(`it ended as ${outcome.status}: ${outcome.error?.message ?? ''}`);
  for (const error of errors) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    if (code === undefined || !REFUSED.includes(code)) world.problem(message);
  }
  return world;
}

function optionsOf(random: Random, seed: number): TestOptions {
  return {
    workers: 1 + random.nextBelow(3),
    seed,
    record: false,
    strict: random.nextBelow(2) === 0,
    limits: random.nextBelow(2) === 0 ? tinyLimits : {},
  };
}

/** Lets the workers have some turns. */
async function steps(count: number): Promise<void> {
  for (let step = 0; step < count; step++) await new Promise((resolve) => setImmediate(resolve));
}

function check(world: World, strict: boolean): void {
  const { plan } = world;
  const isWrong = (times: number): boolean => (strict ? times !== 1 : times < 1);
  for (let at = 0; at < PARTITIONS; at++) {
    for (let seq = 0; seq < plan.perPartition; seq++) {
      const record = `p${at}/${seq}`;
      const times = world.acked.get(record) ?? 0;
      if (isWrong(times)) world.problem(`${record} was acked ${times} times`);
      for (const { id, grouping } of plan.layers) {
        const seen = world.seen.get(id)!.count.get(record) ?? 0;
        if (grouping === 'all' ? seen < 1 : isWrong(seen)) world.problem(`${id} saw ${record} ${seen} times`);
      }
    }
  }
  if (strict && world.failed.size > 0) world.problem(`${world.failed.size} records failed`);
  if (world.problems.length > 0) throw new Error(`${world.problems.join('\n')}\n${JSON.stringify(plan)}`);
}

const seeds = SEED === undefined ? fc.integer({ min: 1, max: 0x7fffffff }) : fc.constant(Number(SEED));

for (const crashes of [false, true]) {
  const title = `spouts stand aside and come back at random${crashes ? ', workers die' : ''}`;
  void t.test(title, { timeout: 120_000 }, async (t) => {
    const counted = { asides: 0, backs: 0 };
    const property = fc.asyncProperty(seeds, async (seed) => {
      check(await runOnce(seed, crashes, counted), !crashes);
    });
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    t.comment(`${counted.asides} times aside, ${counted.backs} times asked back in ${RUNS} runs`);
    t.ok(counted.asides > 0 || SEED !== undefined);
  });
}

/** The first version stands aside at some moment, then the second one, which stood by, goes on with its progress. */
async function replaceOnce(seed: number): Promise<World> {
  const random = new Random(seed);
  const world = new World(randomPlan(random, true));
  const kept = new Map<string, Checkpoint>();
  const onCheckpoint = (checkpoint: Checkpoint): void => void kept.set(checkpoint.partition, checkpoint);
  const first = await TestRun.start(world.topology, { ...optionsOf(random, seed), onCheckpoint });
  const second = await TestRun.start(world.topology, {
    ...optionsOf(random, seed + 1),
    standby: true,
    firstIncarnation: 1000,
  });
  await steps(random.nextBelow(200));
  if (first.status().state !== 'active') {
    await second.close();
    return world;
  }
  await first.run.standAside();
  // Bolts of the second one count from zero.
  for (const { order } of world.seen.values()) order.clear();
  let over = false;
  void second.completed.then(() => (over = true));
  const ended = first.kill({ waitMs: 60_000 });
  await second.run.openSpouts([...kept.values()]);
  await ended;
  const { status } = await first.completed;
  if (status !== 'killed') world.problem(`the first one is ${status}`);
  for (let step = 0; step < STEPS_MAX && !over; step++) await second.advance('1s');
  const outcome = over ? await second.completed : await second.close();
  if (outcome.status !== 'completed') world.problem(`it ended as ${outcome.status}: ${outcome.error?.message ?? ''}`);
  check(world, true);
  return world;
}

void t.test('a version takes over from another one at any moment', { timeout: 120_000 }, async (t) => {
  let records = 0;
  const property = fc.asyncProperty(seeds, async (seed) => {
    records += (await replaceOnce(seed)).acked.size;
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  t.comment(`${records} records in ${RUNS} runs`);
  t.ok(records > 0);
});
