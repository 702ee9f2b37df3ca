// Finds the subscriptions that close a cycle among bolts. Depth first against the stream, from each bolt to what it
// takes from, with a stack of its own instead of recursion: a subscription of a bolt that is still on the stack closes
// a cycle, and without all of those there is none. Each subscription is looked at once. Pure, any thread.
//
//   on the stack: a, b, c (a takes b, b takes c);  c takes a  ──►  a → c → b → a

import type { BoltDefinition } from './definition.js';

export interface Cycle {
  /** The bolt whose subscription closes it. */
  readonly bolt: string;
  /** Which of its subscriptions that is. */
  readonly inputIndex: number;
  /** The bolts of the cycle in the direction of the tuples, each once. */
  readonly through: readonly string[];
}

interface Visit {
  readonly bolt: BoltDefinition;
  nextInput: number;
}

/** @param bolts - with different ids */
export function findCycles(bolts: readonly BoltDefinition[]): readonly Cycle[] {
  const byId = new Map(bolts.map((bolt) => [bolt.id, bolt]));
  const depths = new Map<string, number>();
  const left = new Set<string>();
  const cycles: Cycle[] = [];
  for (const start of byId.values()) {
    if (left.has(start.id)) continue;
    const stack: Visit[] = [{ bolt: start, nextInput: 0 }];
    depths.set(start.id, 0);
    for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
      const inputIndex = visit.nextInput;
      const input = visit.bolt.inputs[inputIndex];
      visit.nextInput += 1;
      if (input === undefined) {
        stack.pop();
        depths.delete(visit.bolt.id);
        left.add(visit.bolt.id);
        continue;
      }
      const depth = depths.get(input.from);
      const source = byId.get(input.from);
      if (depth !== undefined) {
        const [first, ...others] = stack.slice(depth).map((entry) => entry.bolt.id);
        const through = first === undefined ? [] : [first, ...others.reverse()];
        cycles.push({ bolt: visit.bolt.id, inputIndex, through });
      } else if (source !== undefined && !left.has(source.id)) {
        depths.set(source.id, stack.length);
        stack.push({ bolt: source, nextInput: 0 });
      }
    }
  }
  return cycles;
}
