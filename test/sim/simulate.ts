// One seed: a world, a day, and rest. The same options give the same run, event by event: its digest proves that.

import { ORPHAN_LOOK_MS } from '../../engine/limits.js';
import { reasonOf } from '../../engine/errors.js';
import { Random } from '../../engine/random.js';
import { Day } from './day.js';
import type { Violation } from './journal.js';
import type { Wiring } from './machine.js';
import { orphans, unrest } from './rest.js';
import { submissionOf, randomTemplate, type Template } from './topologies.js';
import { World } from './world.js';

export interface SimulationOptions {
  readonly seed: number;
  /** From 1 to 50. Default: 5 to 50, mostly few, as the seed says. */
  readonly hosts?: number;
  /** How much is done to the world. Default 80. */
  readonly steps?: number;
  /** What is submitted. Default: small topologies of the seed. */
  readonly template?: Template | null;
  readonly wiring?: Wiring;
  readonly print?: (line: string) => void;
}

export interface SimulationResult {
  readonly seed: number;
  readonly hosts: number;
  readonly violation: Violation | null;
  /** Of all that happened. */
  readonly digest: string;
  readonly last: readonly string[];
  readonly events: number;
  readonly virtualMs: number;
}

/** Longest wait for everything to come to rest: several of the longest pauses between two tries. */
const REST_MAX_MS = 180_000;

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, steps = 80, template = null, wiring, print } = options;
  const random = new Random(seed);
  // Most bugs need few hosts, and few hosts are quick.
  const hosts = options.hosts ?? (random.nextFloat() < 0.9 ? 5 + random.nextBelow(6) : 11 + random.nextBelow(40));
  const world = new World({ seed, hosts, ...(wiring && { wiring }), ...(print && { print }) });
  const thrown = (error: unknown): void => world.journal.broken('no throw', reasonOf(error));
  process.on('unhandledRejection', thrown);
  try {
    const day = new Day(world, template);
    await day.begin();
    for (let step = 0; step < steps && !world.isOver; step++) await day.step();
    day.heal();
    await rest(world);
  } catch (error) {
    thrown(error);
  } finally {
    process.off('unhandledRejection', thrown);
  }
  const { journal, time } = world;
  const { violation } = journal;
  return {
    seed,
    hosts,
    violation,
    digest: journal.digest(),
    last: journal.last(60),
    events: time.events,
    virtualMs: time.now(),
  };
}

async function rest(world: World): Promise<void> {
  const { journal } = world;
  const isLong = 5_000;
  let wrong: readonly Violation[] = [];
  for (let waitedMs = 0; waitedMs < REST_MAX_MS && !world.isOver; waitedMs += isLong) {
    await world.advance(isLong);
    wrong = unrest(world);
    if (wrong.length === 0) break;
  }
  for (const { rule, what } of wrong) journal.broken(rule, what);
  await checkProgress(world);
  await checkNames(world);
  await checkOrphans(world);
}

/** What runs goes on, and is kept soon. */
async function checkProgress(world: World): Promise<void> {
  const before = world
    .runs()
    .flatMap((run) => (run.isActive && run.isOpen ? { run, offsets: new Map(run.offsets) } : []));
  await world.advance(5_000);
  for (const { run, offsets } of world.isOver ? [] : before) {
    if (run.isOver) continue;
    const kept = world.rules.kept.of(run.order.stateId);
    for (const [key, number] of offsets) {
      const have = kept.get(key) ?? 0;
      if (have < number) world.journal.broken('runs', `"${run.order.name}": ${key} was ${number}, and ${have} is kept`);
    }
  }
}

/** A name of what has ended can be used again. */
async function checkNames(world: World): Promise<void> {
  if (world.isOver) return;
  const name = [...world.rules.endedNames][0];
  if (name === undefined) return;
  let isDone = false;
  const submission = submissionOf(randomTemplate(world.random), name, 1, false);
  world.ask(
    `submit "${name}" again`,
    ({ topologies }) => topologies.submit(submission),
    () => (isDone = true),
  );
  if (!(await world.until(10_000, () => isDone))) world.journal.broken('name free', `"${name}" cannot be used again`);
}

/** What belongs to nobody is found at two looks far apart. */
async function checkOrphans(world: World): Promise<void> {
  if (world.isOver || orphans(world).length === 0) return;
  // Who looks is the master alone, so the others need not be there: it is a long time.
  for (const machine of world.machines.slice(1)) machine.kill('alive', Infinity);
  world.habits = { ...world.habits, paceMs: 600_000 };
  await world.advance(2 * ORPHAN_LOOK_MS + 30_000);
  for (const path of orphans(world)) world.journal.broken('no leftovers', path);
}
