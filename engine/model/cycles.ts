// The cycles of a topology: which components stand in one together, and which subscriptions close one without being
// named as feedback. Both walk against the stream, from each component to what it takes from, depth first, with a stack
// of their own instead of recursion; each subscription is looked at once. Pure, any thread.
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

/** What of a component matters here. */
export interface CyclePart {
  readonly id: string;
  /** None: a spout. */
  readonly inputs?: readonly { readonly from: string; readonly feedback?: boolean }[];
}

interface Visit<P extends CyclePart> {
  readonly part: P;
  nextInput: number;
}

/**
 * The subscriptions that close a cycle and are no feedback: without them there is no cycle but through feedback.
 *
 * @param bolts - with different ids
 */
export function findCycles(bolts: readonly BoltDefinition[]): readonly Cycle[] {
  const byId = new Map(bolts.map((bolt) => [bolt.id, bolt]));
  const depths = new Map<string, number>();
  const left = new Set<string>();
  const cycles: Cycle[] = [];
  for (const start of byId.values()) {
    if (left.has(start.id)) continue;
    const stack: Visit<BoltDefinition>[] = [{ part: start, nextInput: 0 }];
    depths.set(start.id, 0);
    for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
      const inputIndex = visit.nextInput;
      const input = visit.part.inputs[inputIndex];
      visit.nextInput += 1;
      if (input === undefined) {
        stack.pop();
        depths.delete(visit.part.id);
        left.add(visit.part.id);
        continue;
      }
      if (input.feedback === true) continue;
      const depth = depths.get(input.from);
      const source = byId.get(input.from);
      if (depth !== undefined) {
        const [first, ...others] = stack.slice(depth).map((entry) => entry.part.id);
        const through = first === undefined ? [] : [first, ...others.reverse()];
        cycles.push({ bolt: visit.part.id, inputIndex, through });
      } else if (source !== undefined && !left.has(source.id)) {
        depths.set(source.id, stack.length);
        stack.push({ part: source, nextInput: 0 });
      }
    }
  }
  return cycles;
}

/**
 * The components of each cycle (cycles that share a component are one), in the order in which tuples go through them
 * when feedback is left out.
 *
 * Tarjan's strongly connected components (SIAM Journal on Computing 1(2), 1972).
 */
export function cyclesOf(components: readonly CyclePart[]): readonly (readonly string[])[] {
  const byId = new Map(components.map((part) => [part.id, part]));
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: string[][] = [];
  for (const start of byId.values()) {
    if (order.has(start.id)) continue;
    const stack: Visit<CyclePart>[] = [];
    const enter = (part: CyclePart): void => {
      lowest.set(part.id, order.size);
      order.set(part.id, order.size);
      open.push(part.id);
      isOpen.add(part.id);
      stack.push({ part, nextInput: 0 });
    };
    const lower = (id: string, to: number): void => void lowest.set(id, Math.min(lowest.get(id)!, to));
    enter(start);
    for (let visit = stack.at(-1); visit !== undefined; visit = stack.at(-1)) {
      const { id, inputs = [] } = visit.part;
      const input = inputs[visit.nextInput];
      visit.nextInput += 1;
      if (input !== undefined) {
        const source = byId.get(input.from);
        if (source !== undefined && !order.has(source.id)) enter(source);
        else if (isOpen.has(input.from)) lower(id, order.get(input.from)!);
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      if (parent !== undefined) lower(parent.part.id, lowest.get(id)!);
      if (lowest.get(id) !== order.get(id)) continue;
      const together = open.splice(open.indexOf(id));
      for (const each of together) isOpen.delete(each);
      if (together.length > 1 || inputs.some((each) => each.from === id)) found.push(together);
    }
  }
  return found.map((together) => inOrder(together, byId));
}

/** Those components, each after the ones that it takes from other than by feedback. */
function inOrder(together: readonly string[], byId: ReadonlyMap<string, CyclePart>): readonly string[] {
  const waiting = new Map<string, number>();
  const takers = new Map<string, string[]>(together.map((id) => [id, []]));
  for (const id of together) {
    const inside = (byId.get(id)?.inputs ?? []).filter((input) => input.feedback !== true && takers.has(input.from));
    waiting.set(id, inside.length);
    for (const { from } of inside) takers.get(from)!.push(id);
  }
  const ordered = together.filter((id) => waiting.get(id) === 0);
  for (let at = 0; at < ordered.length; at++) {
    for (const taker of takers.get(ordered[at]!)!) {
      const left = waiting.get(taker)! - 1;
      waiting.set(taker, left);
      if (left === 0) ordered.push(taker);
    }
  }
  // A cycle without feedback is refused elsewhere; nothing of it may be missing here.
  return [...ordered, ...together.filter((id) => !ordered.includes(id))];
}
