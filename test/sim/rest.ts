// The rules of a world that has come to rest: nothing goes wrong any more, and there was time for everything. What is
// wrong may only be late, so all of it is looked at again until it is right or the time is over.

import {
  ASSIGNMENTS,
  CHECKPOINTS,
  CLUSTER_PARAMETERS,
  DRAINS,
  FINALS,
  HOSTS,
  MASTERS,
  memberOf,
  PARAMETERS,
  PAYLOADS,
  REPORTS,
  TOPOLOGIES,
} from '../../coordination/paths.js';
import { changesOf, isSame, type Assignment, type HostRecord, type Wish } from '../../coordination/topology-records.js';
import { placesOf, stateIdOf, submittedOf } from '../../coordination/versions.js';
import type { Rule, Violation } from './journal.js';
import type { SimRun } from './run.js';
import type { World } from './world.js';

/** What is not as it should be at rest, the leftovers of `orphans` apart. */
export function unrest(world: World): readonly Violation[] {
  const { mirror, ended, replaced } = world.rules;
  const found: Violation[] = [];
  const wrong = (rule: Rule, what: string): void => void found.push({ rule, what });
  const wishes = mirror.readAll<Wish>(TOPOLOGIES).map(({ value }) => value);
  const assignments = new Map(mirror.readAll<Assignment>(ASSIGNMENTS).map(({ name, value }) => [name, value]));
  const free = freeSlots(world, [...assignments.values()]);
  const isDrained = (host: string): boolean => mirror.get(`${DRAINS}/${host}`) !== undefined;
  const open = new Map([...free].filter(([member]) => !isDrained(member.split('~')[0]!)));
  const runs = world.runs();
  for (const wish of wishes) {
    const assignment = assignments.get(wish.name);
    const own = assignment?.id === wish.id ? assignment : undefined;
    checkWish(
      wish,
      own,
      runs.filter(({ order }) => order.id === wish.id),
      { free, open: [...open.values()].reduce((sum, each) => sum + each, 0), isDrained },
      wrong,
    );
  }
  for (const { name, next } of wishes) if (next !== undefined) wrong('runs', `"${name}" is still being replaced`);
  const live = new Set(wishes.flatMap((wish) => submittedOf(wish).map(({ id }) => id)));
  for (const { order, where } of runs) {
    if (!live.has(order.id)) wrong('runs', `"${order.name}" r${order.revision} runs at ${where}, and has ended`);
  }
  for (const { order, where } of world.memberships()) {
    const { name, id, revision } = order;
    const now = assignments.get(name);
    const isPlaced = now?.id === id && now.revision === revision && now.places.some(({ host }) => host === where);
    if (!isPlaced) wrong('runs', `${where} takes part in "${name}" r${revision}, and has no place of it`);
  }
  for (const { id, name, isKilled } of world.acknowledged.values()) {
    if (!live.has(id) && !ended.has(id) && !replaced.isDropped(id))
      wrong('as wished', `"${name}" was acknowledged, and is nowhere`);
    if (isKilled && live.has(id)) wrong('name free', `the end of "${name}" was acknowledged, and it has not ended`);
  }
  checkMembers(world, wrong);
  for (const [name, { next }] of assignments) {
    if (next !== undefined && !live.has(next.id)) wrong('no leftovers', `"${name}" keeps slots for ${next.id}`);
  }
  for (const [name, { id }] of assignments) if (!live.has(id)) wrong('no leftovers', `an assignment of "${name}"`);
  return found;
}

/** What belongs to no topology, and is looked for by the master from time to time. */
export function orphans(world: World): readonly string[] {
  const { mirror } = world.rules;
  const wishes = mirror.readAll<Wish>(TOPOLOGIES).map(({ value }) => value);
  const live = new Set(wishes.flatMap((wish) => [stateIdOf(wish), ...submittedOf(wish).map(({ id }) => id)]));
  const cluster = CLUSTER_PARAMETERS.slice(PARAMETERS.length + 1);
  return [PAYLOADS, CHECKPOINTS, FINALS, PARAMETERS].flatMap((directory) =>
    mirror.children(directory).flatMap((id) => (live.has(id) || id === cluster ? [] : `${directory}/${id}`)),
  );
}

/** By member. */
function freeSlots(world: World, assignments: readonly Assignment[]): ReadonlyMap<string, number> {
  const free = new Map(
    world.rules.mirror.readAll<HostRecord>(HOSTS).map(({ name, value }) => [name, value.slots] as const),
  );
  for (const assignment of assignments) {
    for (const { host, boot } of placesOf(assignment)) {
      const member = memberOf(host, boot);
      const left = free.get(member);
      if (left !== undefined) free.set(member, left - 1);
    }
  }
  return free;
}

/** What is free. */
interface Slots {
  /** Of each member. */
  readonly free: ReadonlyMap<string, number>;
  /** Of those that take workers, together. */
  readonly open: number;
  readonly isDrained: (host: string) => boolean;
}

function checkWish(
  wish: Wish,
  assignment: Assignment | undefined,
  runs: readonly SimRun[],
  { free, open, isDrained }: Slots,
  wrong: (rule: Rule, what: string) => void,
): void {
  const { name, wanted } = wish;
  const places = assignment?.places ?? [];
  if (wanted === 'killed') {
    wrong('name free', `"${name}" is still being killed`);
    return;
  }
  for (const place of places) {
    if (!free.has(memberOf(place.host, place.boot))) wrong('placed', `"${name}" is on ${place.host}, which is gone`);
  }
  const lacks = lackOf(wish, assignment, open, isDrained);
  if (lacks !== null) wrong('placed', `"${name}" ${lacks}, and there are ${open} free slots`);
  if (assignment !== undefined && assignment.wanted !== wanted && places.length > 0) {
    wrong('placed', `"${name}" is wished ${wanted}, and told ${assignment.wanted}`);
  }
  if (runs.length > 1)
    wrong('runs', `"${name}" runs ${runs.length} times, at ${runs.map(({ where }) => where).join()}`);
  const [run] = runs;
  if (places.length === 0 || assignment === undefined) {
    if (run !== undefined) wrong('runs', `"${name}" runs at ${run.where}, and has no place`);
    return;
  }
  if (run === undefined) {
    if (wanted === 'active') wrong('runs', `"${name}" r${assignment.revision} does not run`);
    return;
  }
  const { revision, places: [lead] = [] } = assignment;
  if (run.order.revision !== revision || run.where !== lead?.host) {
    wrong('runs', `"${name}" r${revision} runs as r${run.order.revision} at ${run.where} and not at ${lead?.host}`);
  }
  if (run.isActive !== (wanted === 'active')) wrong('runs', `"${name}" is wished ${wanted}, and its run was not told`);
  if (!run.isOpen) wrong('runs', `the spouts of "${name}" are not open`);
  const isSpread =
    run.seats.places.length === places.length && run.seats.places.every((at, n) => isSame(at, places[n]!));
  if (!isSpread || run.change !== changesOf(assignment)) {
    const where = JSON.stringify(run.seats.places);
    wrong('runs', `"${name}" is on ${where}, change ${run.change}, and not as assigned: ${JSON.stringify(assignment)}`);
  }
  const idle = places.flatMap((_, worker) => (run.seats.runs(worker) ? [] : worker));
  if (idle.length > 0) wrong('runs', `workers ${idle.join()} of "${name}" do not run`);
}

/** What it waits for though there is room; of those that are choosy about hosts nothing is known. */
function lackOf(
  { wanted, workers, placing, change = 0 }: Wish,
  assignment: Assignment | undefined,
  open: number,
  isDrained: (host: string) => boolean,
): string | null {
  if (wanted !== 'active' || placing?.groups !== undefined || placing?.hostLabels !== undefined) return null;
  const places = assignment?.places ?? [];
  if (assignment === undefined || places.length === 0) {
    // What ran before takes what there is.
    const least = (assignment?.revision ?? 0) > 0 ? 1 : workers;
    return open >= least ? `waits for ${workers} workers` : null;
  }
  if (changesOf(assignment) !== change && open >= workers - places.length)
    return `waits for its rebalance to ${workers}`;
  if (changesOf(assignment) === change && places.length < workers && open > 0)
    return `has ${places.length} of ${workers}`;
  const leaving = places.flatMap(({ host }, worker) => (isDrained(host) ? worker : []));
  const least = leaving[0] === 0 ? leaving.length : 1;
  return leaving.length > 0 && open >= least ? `has workers ${leaving.join()} on hosts that are drained` : null;
}

/** Every machine is there, once, and nobody else. */
function checkMembers({ machines, rules }: World, wrong: (rule: Rule, what: string) => void): void {
  const members = new Set(machines.map(({ member }) => member));
  const there = rules.mirror.children(HOSTS);
  for (const { name, isUp, member } of machines) {
    if (!isUp || !there.includes(member!)) wrong('runs', `${name} is not back`);
  }
  for (const member of there) if (!members.has(member)) wrong('no leftovers', `${HOSTS}/${member}`);
  for (const member of rules.mirror.children(REPORTS)) {
    if (!members.has(member)) wrong('no leftovers', `${REPORTS}/${member}`);
  }
  const queue = rules.mirror.children(MASTERS).length;
  if (queue < machines.length)
    wrong('one master', `${machines.length} hosts, and only ${queue} of them stand in the queue`);
  if (queue > machines.length) wrong('no leftovers', `${queue} places in the queue of ${machines.length} masters`);
}
