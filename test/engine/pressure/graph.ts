// Random topologies for the test of back pressure: what they look like, and which tuples each of their components has
// to get, worked out without the engine. All that a component does follows from the numbers in its tuples, so that a
// run is repeated by its seed and shrinks to what matters.

import fc from 'fast-check';
import type { RuntimeLimits } from '../../../engine/limits.js';

/** Bolts may take from those before them, spouts first; node 0 is a spout. */
export interface Graph {
  readonly spouts: readonly SpoutNode[];
  readonly bolts: readonly BoltNode[];
  readonly workers: number;
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
  readonly inputs: readonly { readonly from: number; readonly side: boolean; readonly grouping: GroupingKind }[];
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

export type GroupingKind = 'shuffle' | 'fields' | 'all' | 'global';

/** Executions of one graph at most: what amplifies more is made smaller. */
const EXECUTED_MAX = 1200;
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
});

const spoutNode: fc.Arbitrary<SpoutNode> = fc.record({
  parallelism: from1(2),
  count: from1(40),
  burst: fc.oneof(fc.constant(1), from1(30)),
  style: fc.constantFrom('sync', 'sync', 'async', 'ready'),
});

const boltNode = fc.record({
  parallelism: from1(3),
  inputs: fc.array(
    fc.record({
      from: fc.nat(),
      side: oneIn(4),
      grouping: fc.constantFrom<GroupingKind>('shuffle', 'shuffle', 'fields', 'all', 'global'),
    }),
    { minLength: 1, maxLength: 3 },
  ),
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
  const bolts = drawn.bolts.map((bolt, index): BoltNode => {
    const taken = new Set<string>();
    const inputs = bolt.inputs
      .map((input) => {
        const from = input.from % (first + index);
        return { ...input, from, side: input.side && from >= first };
      })
      .filter(({ from, side }) => !taken.has(`${from} ${side}`) && taken.add(`${from} ${side}`));
    return {
      ...bolt,
      inputs,
      ordered: bolt.ordered && bolt.concurrency > 1 && bolt.acks === 'return',
      concurrency: bolt.style === 'sync' ? 1 : bolt.concurrency,
      // What was only acked by a commit cannot be held until a tick as well.
      endBatch: bolt.acks === 'tick' ? 'none' : bolt.endBatch,
      failsEvery: drawn.tracked ? bolt.failsEvery : 0,
    };
  });
  const limits = { ...drawn.limits, emitsPerCallMax: EXECUTED_MAX * 20 };
  let graph: Graph = { ...drawn, limits, bolts };
  while (executionsOf(graph) > EXECUTED_MAX) graph = smaller(graph);
  return graph;
}

function smaller(graph: Graph): Graph {
  const amplifies = graph.bolts.some(({ emitsMax }) => emitsMax > 2);
  return {
    ...graph,
    spouts: graph.spouts.map((spout) => (amplifies ? spout : { ...spout, count: Math.ceil(spout.count / 2) })),
    bolts: graph.bolts.map((bolt) =>
      amplifies || graph.spouts.some(({ count }) => count > 1)
        ? { ...bolt, emitsMax: Math.max(Math.min(bolt.emitsMax, 2), Math.floor(bolt.emitsMax * 0.7)) }
        : { ...bolt, emitsMax: 1 },
    ),
  };
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

/** What a bolt emits for that value: by stream, in order. */
export function emitsOf(
  node: number,
  emitsMax: number,
  value: number,
): { readonly side: boolean; readonly value: number }[] {
  const count = mix(value, node) % (emitsMax + 1);
  return Array.from({ length: count }, (_, index) => ({ side: index % 2 === 1, value: mix(value, node * 64 + index) }));
}

export function payloadOf(value: number, payloadMax: number): string {
  const length = payloadMax === 0 ? 0 : mix(value, 7) % (payloadMax + 1);
  return 'p'.repeat(length);
}

/** The values that each bolt executes when every tuple is processed once, over all its tasks. */
export function expectedOf(graph: Graph): number[][] {
  const first = graph.spouts.length;
  const emitted: { readonly plain: number[]; readonly side: number[] }[] = graph.spouts.map((spout, node) => {
    const plain: number[] = [];
    for (let task = 0; task < spout.parallelism; task++) {
      for (let number = 0; number < spout.count; number++) plain.push(spoutValue(node, task, number));
    }
    return { plain, side: [] };
  });
  const executed: number[][] = [];
  graph.bolts.forEach((bolt, index) => {
    const values: number[] = [];
    for (const { from, side, grouping } of bolt.inputs) {
      const copies = grouping === 'all' ? bolt.parallelism : 1;
      for (const value of emitted[from]![side ? 'side' : 'plain']) for (let n = 0; n < copies; n++) values.push(value);
    }
    executed.push(values);
    const all =
      values.length > EXECUTED_MAX ? [] : values.flatMap((value) => emitsOf(first + index, bolt.emitsMax, value));
    emitted.push({
      plain: all.filter(({ side }) => !side).map(({ value }) => value),
      side: all.filter(({ side }) => side).map(({ value }) => value),
    });
  });
  return executed;
}

function executionsOf(graph: Graph): number {
  return Math.max(...expectedOf(graph).map((values) => values.length));
}
