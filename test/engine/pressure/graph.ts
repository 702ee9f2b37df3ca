// Random topologies for the test of back pressure: what they look like, and which tuples each of their components has
// to get, worked out without the engine. All that a component does follows from the numbers in its tuples, so that a
// run is repeated by its seed and shrinks to what matters.

import fc from 'fast-check';
import type { RuntimeLimits } from '../../../engine/limits.js';
import type { Placement } from '../../../engine/model/definition.js';

/**
 * Nodes are numbered, spouts first. Bolts take from nodes before them, and by feedback from themselves and later ones.
 */
export interface Graph {
  readonly spouts: readonly SpoutNode[];
  readonly bolts: readonly BoltNode[];
  readonly workers: number;
  readonly placement: Placement;
  readonly tracked: boolean;
  readonly strict: boolean;
  readonly maxSpoutPending: number | null;
  /** Characters in the payload of the largest tuples. */
  readonly payloadMax: number;
  readonly limits: Partial<RuntimeLimits>;
}

export interface SpoutNode {
  readonly parallelism: number;
  /** Tuples of each task. */
  readonly count: number;
  /** Tuples that one call of `nextTuple` emits. */
  readonly burst: number;
  readonly style: 'sync' | 'async' | 'ready';
}

export interface BoltNode {
  readonly parallelism: number;
  readonly inputs: readonly Input[];
  /** What it takes by feedback. */
  readonly loops: readonly Input[];
  /** It emits from 0 up to this many tuples for each one, every other one on its stream `side`. */
  readonly emitsMax: number;
  /** Calls are synchronous, or asynchronous and wait `pauses` times, or `emit.ready()` before each emit as well. */
  readonly style: 'sync' | 'async' | 'ready';
  readonly pauses: number;
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly endBatch: 'none' | 'sync' | 'async';
  /** By return; by hand in the call; by hand in a tick, which also emits. */
  readonly acks: 'return' | 'hand' | 'tick';
  /** Every so many-th number fails the first time it is seen; 0: none. */
  readonly failsEvery: number;
  /** Untracked tuples that `tick` (at most three times) and `finish` emit. */
  readonly extra: number;
}

export interface Input {
  readonly from: number;
  readonly side: boolean;
  readonly grouping: GroupingKind;
}

export type GroupingKind = 'shuffle' | 'fields' | 'all' | 'global' | 'none' | 'partialKey' | 'localOrShuffle';

/** Executions of one graph at most: what amplifies more is made smaller. */
const EXECUTED_MAX = 1500;
/** How often what follows from a tuple may come back by feedback. */
export const ROUNDS = 2;
/** The value of tuples that nothing follows from. */
export const EXTRA = -1;

const oneIn = (n: number): fc.Arbitrary<boolean> => fc.nat(n - 1).map((drawn) => drawn === 0);
const from1 = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

const tinyLimits: fc.Arbitrary<Partial<RuntimeLimits>> = fc.record({
  batchTuplesMax: from1(8),
  batchBytesMax: from1(300),
  mailboxTuplesMax: from1(8),
  mailboxBytesMax: from1(400),
  channelReserveTuples: fc.nat(3),
  channelReserveBytes: fc.nat(100),
  linkSharedTuples: fc.nat(8),
  linkSharedBytes: fc.nat(400),
  openRootsMax: from1(16),
  sparseRootsMax: from1(16),
  sliceTuplesMax: from1(8),
  directDepthMax: fc.nat(4),
  feedbackTuplesMax: fc.constantFrom(3, 5000),
});

const input: fc.Arbitrary<Input> = fc.record({
  from: fc.nat(),
  side: oneIn(4),
  grouping: fc.constantFrom<GroupingKind>(
    'shuffle',
    'shuffle',
    'fields',
    'all',
    'global',
    'none',
    'partialKey',
    'localOrShuffle',
  ),
});

const spoutNode: fc.Arbitrary<SpoutNode> = fc.record({
  parallelism: from1(2),
  count: from1(40),
  burst: fc.oneof(fc.constant(1), from1(30)),
  style: fc.constantFrom('sync', 'sync', 'async', 'ready'),
});

const boltNode = fc.record({
  parallelism: from1(3),
  inputs: fc.array(input, { minLength: 1, maxLength: 3 }),
  loops: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.array(input, { maxLength: 2 })),
  emitsMax: fc.oneof(fc.constant(1), fc.constant(2), fc.nat(20)),
  style: fc.constantFrom<BoltNode['style']>('sync', 'sync', 'async', 'ready'),
  pauses: fc.nat(4),
  concurrency: fc.oneof(fc.constant(1), from1(4)),
  ordered: fc.boolean(),
  endBatch: fc.constantFrom<BoltNode['endBatch']>('none', 'none', 'none', 'sync', 'async'),
  acks: fc.constantFrom<BoltNode['acks']>('return', 'return', 'return', 'hand', 'tick'),
  failsEvery: fc.constantFrom(0, 0, 0, 5, 11),
  extra: fc.constantFrom(0, 0, 0, 3, 12),
});

export const graphs: fc.Arbitrary<Graph> = fc
  .record({
    spouts: fc.array(spoutNode, { minLength: 1, maxLength: 3 }),
    bolts: fc.array(boltNode, { minLength: 1, maxLength: 6 }),
    workers: from1(4),
    placement: fc.constantFrom<Placement>('spread', 'spread', 'together'),
    tracked: fc.boolean(),
    strict: fc.boolean(),
    maxSpoutPending: fc.option(from1(5)),
    payloadMax: fc.constantFrom(0, 20, 200, 600),
    limits: tinyLimits,
  })
  .map((drawn) => made(drawn));

/** Has every input name a stream that exists, once each, and keeps the number of tuples in bounds. */
function made(drawn: Graph): Graph {
  const first = drawn.spouts.length;
  const nodes = first + drawn.bolts.length;
  const inputs = drawn.bolts.map((bolt, index) => {
    const taken = new Set<string>();
    return bolt.inputs
      .map((input) => {
        const from = input.from % (first + index);
        return { ...input, from, side: input.side && from >= first };
      })
      .filter(({ from, side }) => !taken.has(`${from} ${side}`) && taken.add(`${from} ${side}`));
  });
  const cyclic = drawn.bolts.some(({ loops }) => loops.length > 0);
  const bolts = drawn.bolts.map((bolt, index): BoltNode => {
    const taken = new Set<string>();
    const loops = bolt.loops
      .map((input) => ({ ...input, from: first + index + (input.from % (nodes - first - index)) }))
      .filter(({ from }) => reaches(inputs, first, first + index, from))
      .filter(({ from, side }) => !taken.has(`${from} ${side}`) && taken.add(`${from} ${side}`));
    return {
      ...bolt,
      inputs: inputs[index]!,
      loops,
      ordered: bolt.ordered && bolt.concurrency > 1 && bolt.acks === 'return',
      // Without acks a cycle may end while something is held for a tick.
      acks: bolt.acks === 'tick' && cyclic && !drawn.tracked ? 'return' : bolt.acks,
      concurrency: bolt.style === 'sync' ? 1 : bolt.concurrency,
      // What was only acked by a commit cannot be held until a tick as well.
      endBatch: bolt.acks === 'tick' ? 'none' : bolt.endBatch,
      failsEvery: drawn.tracked ? bolt.failsEvery : 0,
    };
  });
  // A tree that is too large for its feedback alone would be replayed for ever.
  const feedbackTuplesMax = drawn.tracked ? 5000 : drawn.limits.feedbackTuplesMax!;
  const limits = { ...drawn.limits, feedbackTuplesMax, emitsPerCallMax: EXECUTED_MAX * 20 };
  let graph: Graph = { ...drawn, limits, bolts };
  while (executionsOf(graph) > EXECUTED_MAX) graph = smaller(graph);
  return graph;
}

/** Whether tuples of one node come to the other without feedback. */
function reaches(inputs: readonly (readonly Input[])[], first: number, from: number, to: number): boolean {
  if (from === to) return true;
  return to > from && inputs[to - first]!.some((input) => reaches(inputs, first, from, input.from));
}

/** Less of what makes the most: amplification, then tuples, then copies and ways back. */
function smaller(graph: Graph): Graph {
  const { spouts, bolts } = graph;
  if (bolts.some(({ emitsMax }) => emitsMax > 2)) {
    return { ...graph, bolts: bolts.map((bolt) => ({ ...bolt, emitsMax: fewer(bolt.emitsMax) })) };
  }
  if (spouts.some(({ count }) => count > 1)) {
    return { ...graph, spouts: spouts.map((spout) => ({ ...spout, count: Math.ceil(spout.count / 2) })) };
  }
  const inputs = (bolt: BoltNode): Input[] =>
    bolt.inputs.slice(0, 1).map((each) => ({ ...each, grouping: each.grouping === 'all' ? 'shuffle' : each.grouping }));
  return { ...graph, bolts: bolts.map((bolt) => ({ ...bolt, emitsMax: 1, inputs: inputs(bolt), loops: [] })) };
}

function fewer(emits: number): number {
  return Math.max(Math.min(emits, 2), Math.floor(emits * 0.7));
}

/** Mixes two numbers into a third, from 0 up to 2^31 - 1. */
export function mix(a: number, b: number): number {
  let mixed = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x27d4eb2f);
  return (mixed ^ (mixed >>> 13)) & 0x7fffffff;
}

/** The value of the n-th tuple of a spout task. */
export function spoutValue(node: number, task: number, number: number): number {
  return mix(mix(node, task), number);
}

/** What a bolt emits for that value: by stream, in order. Nothing once it has come back too often. */
export function emitsOf(
  node: number,
  emitsMax: number,
  value: number,
  left: number,
): { readonly side: boolean; readonly value: number }[] {
  const count = left < 0 ? 0 : mix(value, node) % (emitsMax + 1);
  return Array.from({ length: count }, (_, index) => ({ side: index % 2 === 1, value: mix(value, node * 64 + index) }));
}

export function payloadOf(value: number, payloadMax: number): string {
  const length = payloadMax === 0 ? 0 : mix(value, 7) % (payloadMax + 1);
  return 'p'.repeat(length);
}

/**
 * The values that each bolt executes when every tuple is processed once, over all its tasks; when they are too many, no
 * more than is seen by then.
 */
export function expectedOf(graph: Graph): number[][] {
  const first = graph.spouts.length;
  const executed: number[][] = graph.bolts.map(() => []);
  const emitted: { readonly node: number; readonly side: boolean; readonly value: number; readonly left: number }[] =
    [];
  graph.spouts.forEach((spout, node) => {
    for (let task = 0; task < spout.parallelism; task++) {
      for (let number = 0; number < spout.count; number++) {
        emitted.push({ node, side: false, value: spoutValue(node, task, number), left: ROUNDS });
      }
    }
  });
  let executions = 0;
  for (let next = emitted.pop(); next !== undefined && executions <= EXECUTED_MAX; next = emitted.pop()) {
    const { node, side, value, left } = next;
    graph.bolts.forEach((bolt, index) => {
      const take = (input: Input, rounds: number): void => {
        if (input.from !== node || input.side !== side) return;
        for (let copy = 0; copy < (input.grouping === 'all' ? bolt.parallelism : 1); copy++) {
          executed[index]!.push(value);
          executions++;
          for (const each of emitsOf(first + index, bolt.emitsMax, value, rounds)) {
            emitted.push({ node: first + index, side: each.side, value: each.value, left: rounds });
          }
        }
      };
      for (const input of bolt.inputs) take(input, left);
      for (const input of bolt.loops) take(input, left - 1);
    });
  }
  return executed;
}

function executionsOf(graph: Graph): number {
  return expectedOf(graph).reduce((sum, values) => sum + values.length, 0);
}
