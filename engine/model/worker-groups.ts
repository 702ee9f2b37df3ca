// Which components may share a worker. Most topologies have one group: every worker may run tasks of everything.
// Components with other labels, or that must stay apart, are in groups of their own, and each worker is for one group;
// with fewer workers than groups, a worker is for several that may share it. Who knows the groups and the number of
// workers knows what each worker is for, so the master needs nothing else of a topology. Pure, any thread.
//
//   groups        0 (none)   1 (gpu)   2 (none, apart from 0)
//   1 worker      cannot be: 0 and 2 are apart
//   2 workers     0: groups 0 and 1, on a host with a gpu       1: group 2
//   3 workers     0: group 0    1: group 2    2: group 1
//   4 and more    the next one for the group with most tasks for each of its workers
//
// Invariant: what a worker is for never grows when workers are added, so those that are there may stay.

/** Components that may share a worker: they ask for the same hosts, and none is to be apart from another. */
export interface WorkerGroup {
  /** Its workers are on hosts with all of these; sorted. */
  readonly labels: readonly string[];
  /** Tasks of its components, as they are defined: workers are shared out by these. */
  readonly tasks: number;
  /** Groups of which no worker is on a host with one of this one. */
  readonly apart: readonly number[];
}

/** What is looked at of a component. */
export interface Grouped {
  readonly id: string;
  readonly parallelism: number;
  readonly labels?: readonly string[];
  /** No task of it runs on a host with a task of that component. */
  readonly apart?: string;
}

/** The groups of components, in the order of the first one of each; and by id in which group a component is. */
export interface Grouping {
  readonly groups: readonly WorkerGroup[];
  readonly groupOf: ReadonlyMap<string, number>;
}

/** Shares components out to groups. */
export function groupComponents(components: readonly Grouped[]): Grouping {
  const enemies = new Map<string, Set<string>>(components.map(({ id }) => [id, new Set()]));
  for (const { id, apart } of components) {
    if (apart === undefined || apart === id) continue;
    enemies.get(id)!.add(apart);
    enemies.get(apart)?.add(id);
  }
  const drafts: { readonly labels: readonly string[]; tasks: number; readonly ids: string[] }[] = [];
  const groupOf = new Map<string, number>();
  for (const { id, parallelism, labels = [] } of components) {
    const sorted = [...new Set(labels)].sort();
    const key = JSON.stringify(sorted);
    const own = enemies.get(id)!;
    let at = drafts.findIndex(
      (draft) => JSON.stringify(draft.labels) === key && !draft.ids.some((other) => own.has(other)),
    );
    if (at < 0) at = drafts.push({ labels: sorted, tasks: 0, ids: [] }) - 1;
    drafts[at]!.tasks += parallelism;
    drafts[at]!.ids.push(id);
    groupOf.set(id, at);
  }
  const groups = drafts.map(({ labels, tasks, ids }): WorkerGroup => {
    const apart = new Set(ids.flatMap((id) => [...enemies.get(id)!].map((other) => groupOf.get(other)!)));
    return { labels, tasks, apart: [...apart].filter((each) => each !== undefined).sort((a, b) => a - b) };
  });
  return { groups, groupOf };
}

/** How many workers there must be at the least, for who is to be apart to be so. */
export function workersMin(groups: readonly WorkerGroup[]): number {
  return coresOf(groups).cores.length;
}

/**
 * Which groups each worker is for, by worker. With less than {@link workersMin} some share a worker that should not: in
 * one process nothing else is possible.
 */
export function workerGroups(groups: readonly WorkerGroup[], workers: number): readonly (readonly number[])[] {
  const { cores, coreOf } = coresOf(groups);
  const inCores = new Set(cores);
  const order = [...cores, ...groups.keys()].filter((group, at, all) => all.indexOf(group) === at);
  const isFor = order.slice(0, workers).map((group) => [group]);
  for (const group of order.slice(workers)) {
    const core = inCores.has(group) ? cores.indexOf(group) : coreOf[group]!;
    isFor[core % workers]!.push(group);
  }
  for (const own of isFor) own.sort((a, b) => a - b);
  const given = new Array<number>(groups.length).fill(1);
  while (isFor.length < workers) {
    let next = 0;
    for (let group = 1; group < groups.length; group++) {
      // Most tasks a worker; multiplied out, so that equal ones are equal.
      if (groups[group]!.tasks * given[next]! > groups[next]!.tasks * given[group]!) next = group;
    }
    given[next]!++;
    isFor.push([next]);
  }
  return isFor;
}

/** One group for each worker that must be, and for all others one of them whose worker they may share. First fit. */
function coresOf(groups: readonly WorkerGroup[]): { readonly cores: readonly number[]; readonly coreOf: number[] } {
  const members: number[][] = [];
  const coreOf = groups.map(({ apart }, group) => {
    let core = members.findIndex((own) => !own.some((other) => apart.includes(other)));
    if (core < 0) core = members.push([]) - 1;
    members[core]!.push(group);
    return core;
  });
  return { cores: members.map(([first]) => first!), coreOf };
}
