// Where tasks go that are placed together: what whole rounds over the workers leave over stands beside what it takes
// from, so that tuples cross from worker to worker only where parallelism makes them. A chain of components with one
// task each is in one worker, however many there are. Pure.
//
//   3 workers      a (spout, 1)   b (takes a, 2)   c (takes b, 1)   d (spout, 1)   e (takes d, 4)
//   worker 0       a0             b0               c0                              e0
//   worker 1                      b1                                               e1
//   worker 2                                                        d0             e2 e3

import type { ComponentDescription } from '../model/describe.js';

/**
 * The workers of each component's tasks, in the order of their index. No worker has two more tasks of a component than
 * another one.
 */
export function placedTogether(
  components: readonly ComponentDescription[],
  workers: number,
  countOf: (component: ComponentDescription) => number,
): Map<string, number[]> {
  const byId = new Map(components.map((component) => [component.id, component]));
  const load = new Array<number>(workers).fill(0);
  const places = new Map<string, number[]>();
  for (const component of components) {
    for (const each of sourcesFirst(component, byId, places)) {
      const here = placesOf(countOf(each), load, places.get(placedSource(each, places) ?? ''));
      places.set(each.id, here);
      for (const worker of here) load[worker]!++;
    }
  }
  return places;
}

/**
 * A component, after the chain of what it takes from where nothing of that is placed yet: components may be written
 * down in any order.
 */
function sourcesFirst(
  component: ComponentDescription,
  byId: ReadonlyMap<string, ComponentDescription>,
  places: ReadonlyMap<string, unknown>,
): ComponentDescription[] {
  const chain = new Set<ComponentDescription>();
  let next: ComponentDescription | undefined = places.has(component.id) ? undefined : component;
  while (next !== undefined) {
    chain.add(next);
    if (next.kind === 'spout' || placedSource(next, places) !== null) break;
    // What is in other workers anyway is not here.
    const sources = next.inputs.flatMap(({ from }) => byId.get(from) ?? []);
    next = sources.find((source) => !chain.has(source));
  }
  return [...chain].reverse();
}

/** The first that it takes from and that is placed. */
function placedSource(component: ComponentDescription, places: ReadonlyMap<string, unknown>): string | null {
  if (component.kind === 'spout') return null;
  return component.inputs.find(({ from }) => places.has(from))?.from ?? null;
}

/**
 * @param load - tasks of each worker so far
 * @param source - the workers of the tasks that it takes from
 */
function placesOf(count: number, load: readonly number[], source: readonly number[] = []): number[] {
  const workers = load.length;
  const whole = count - (count % workers);
  const here = Array.from({ length: whole }, (_, index) => index % workers);
  const left = new Set(load.keys());
  const near = new Set(source);
  for (let index = whole; index < count; index++) {
    const beside = source[index];
    const worker = beside !== undefined && left.has(beside) ? beside : emptiest(left, near, load);
    left.delete(worker);
    here.push(worker);
  }
  return here;
}

/** Of those left, and of them the near ones if there are any: one with the fewest tasks. */
function emptiest(left: ReadonlySet<number>, near: ReadonlySet<number>, load: readonly number[]): number {
  const nearOnes = [...left].filter((worker) => near.has(worker));
  const among = nearOnes.length > 0 ? nearOnes : [...left];
  return among.reduce((best, worker) => (load[worker]! < load[best]! ? worker : best));
}
