// A nemesis run: contenders work, faults come one after the other, then all is healed, nobody writes any more, one last
// change has to reach everybody, everybody has to exit by himself, and the log is judged.

import { setTimeout as sleep } from 'node:timers/promises';
import { STORE_CALL_TIMEOUT_MS } from '../../engine/limits.js';
import { Random } from '../../engine/random.js';
import { violationsIn, holdsOf, of, type Violation } from './check.js';
import { monotonicMs, type NemesisEvent } from './events.js';
import { afflict, FAULTS, type Fault } from './faults.js';
import { GUARDED, ROOT, STATE } from './paths.js';
import { World, type WorldOptions } from './world.js';

export interface NemesisOptions extends WorldOptions {
  readonly seed: number;
  /** Faults begin for so long. */
  readonly seconds: number;
  /** These, in this order, instead of random ones for some time. */
  readonly faults?: readonly Fault[];
  /** How late an answer may be on this machine. */
  readonly graceMs: number;
  readonly say: (line: string) => void;
  /** Aborted, no more faults begin; what is done by then is judged. */
  readonly signal?: AbortSignal;
}

export interface NemesisResult {
  readonly violations: readonly Violation[];
  readonly events: readonly NemesisEvent[];
}

/** How long everybody may take for what is left to do when all is healed. */
const END_MS = 4 * STORE_CALL_TIMEOUT_MS;

export async function runNemesis(options: NemesisOptions): Promise<NemesisResult> {
  const { seed, faults, graceMs, say } = options;
  const random = new Random(seed);
  const world = await World.open(options);
  try {
    const session = await world.session();
    for (const path of [ROOT, STATE, GUARDED]) await session.create(path, new Uint8Array());
    await session.close();
    for (const contender of world.contenders) world.start(contender);
    await Promise.race(world.contenders.map((contender) => contender.heard('leads', END_MS)));
    if (faults === undefined) await randomFaults(world, random, options);
    else for (const fault of faults) await oneFault(world, fault, random, say);
    await end(world, say);
    const events = world.allEvents();
    return { events, violations: violationsIn(events, { graceMs }) };
  } finally {
    await world.close();
  }
}

async function randomFaults(world: World, random: Random, options: NemesisOptions): Promise<void> {
  const { seconds, say, signal } = options;
  const untilMs = monotonicMs() + seconds * 1000;
  while (monotonicMs() < untilMs && signal?.aborted !== true) {
    await oneFault(world, FAULTS[random.nextBelow(FAULTS.length)]!, random, say);
    await sleep((0.2 + random.nextFloat() * 1.5) * world.sessionTimeoutMs);
  }
}

async function oneFault(world: World, fault: Fault, random: Random, say: (line: string) => void): Promise<void> {
  // What leads is what is worth to be hit, once it has done something.
  for (const untilMs = monotonicMs() + END_MS; world.leader === null && monotonicMs() < untilMs;) await sleep(20);
  await sleep((0.1 + random.nextFloat() * 0.2) * world.sessionTimeoutMs);
  say(`${fault} (${world.leader?.who ?? 'nobody'} leads)`);
  await afflict(world, fault, random);
}

/** Nobody contends, one last change, everybody leaves. */
async function end(world: World, say: (line: string) => void): Promise<void> {
  say('all is healed; the last change has to reach everybody');
  const { contenders } = world;
  const stuck = (whom: string): void => world.note({ type: 'stuck', whom });
  await world.ensemble.serving();
  for (const contender of contenders) contender.tell('rest');
  for (const contender of contenders) if (!(await contender.heard('resting', END_MS))) stuck(contender.who);
  const session = await world.session();
  const { modifyRevision } = await session.set(STATE, Buffer.from('"the last one"'), null);
  await session.close();
  world.note({ type: 'quiet', revision: String(modifyRevision) });
  await Promise.all(contenders.map((contender) => contender.heard(`saw ${modifyRevision}`, END_MS)));
  for (const contender of contenders) contender.tell('stop');
  for (const contender of contenders) {
    const left = await Promise.race([contender.exited.then(() => true), sleep(END_MS, false, { ref: false })]);
    if (!left) stuck(contender.who);
  }
}

/** What happened, in lines. */
export function nemesisReport({ events, violations }: NemesisResult): string {
  const leaders = holdsOf(events, 'leader');
  const locks = holdsOf(events, 'lock');
  const writes = of(events, 'wrote');
  const gaps = leaders.slice(1).map(({ fromMs }, at) => fromMs - leaders[at]!.toMs);
  const outcomes = counted(of(events, 'answered').map(({ outcome }) => outcome));
  const refusals = counted(of(events, 'refused').map(({ code }) => code));
  const seconds = ((events.at(-1)?.atMs ?? 0) - (events[0]?.atMs ?? 0)) / 1000;
  return [
    `${seconds.toFixed(0)} s, faults: ${counted(of(events, 'fault').map(({ fault }) => fault))}`,
    `leaders: ${leaders.length} terms of ${new Set(leaders.map(({ token }) => token)).size} epochs; between two: ${range(gaps)}`,
    `lock: held ${locks.length} times`,
    `fenced writes: ${writes.length}; not done: ${refusals || 'none'}`,
    `calls: ${outcomes}`,
    `states seen by watches: ${of(events, 'saw').length}, in ${new Set(of(events, 'saw').map(({ session }) => session)).size} sessions`,
    violations.length === 0
      ? 'nothing is wrong'
      : `${violations.length} VIOLATIONS:\n${violations
          .slice(0, 50)
          .map(({ rule, what }) => `  ${rule}: ${what}`)
          .join('\n')}`,
  ].join('\n');
}

function counted(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${count} ${value}`).join(', ');
}

function range(values: readonly number[]): string {
  if (values.length === 0) return '-';
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)]!;
  return `${sorted[0]!.toFixed(0)} to ${sorted.at(-1)!.toFixed(0)} ms, median ${middle.toFixed(0)} ms`;
}
