// The topology of a random graph: components that do what its nodes say, and note what they were given. All of them run
// in the calling thread, so they write into one notebook.

import {
  Bolt,
  Spout,
  topology,
  type BoltContext,
  type Emit,
  type SpoutContext,
  type Topology,
  type Tuple,
} from 'millrace';
import { emitsOf, EXTRA, mix, payloadOf, ROUNDS, spoutValue } from './graph.js';
import type { BoltNode, Graph, GroupingKind, Input, SpoutNode } from './graph.js';

/** What is noted while a graph runs. */
export class Notebook {
  /** By bolt: the values that were executed. */
  readonly executed: number[][];
  /** By spout: what was acked, as often as it was. */
  readonly acked: number[][];
  failed = 0;
  /** Planned errors thrown so far, and by which value at which bolt. */
  readonly thrown = new Set<string>();
  /** What went against the rules. */
  readonly wrong: string[] = [];

  constructor(graph: Graph) {
    this.executed = graph.bolts.map(() => []);
    this.acked = graph.spouts.map(() => []);
  }
}

export const PLANNED = 'planned';
/** Beyond, nothing fails any more: every failure has a whole tree replayed. */
const FAILURES_MAX = 30;
/** Emits of one call are numbered below this. */
const CALL = 4096;
/** Ticks that emit extra tuples. */
const TICKS = 3;

const fields = ['from', 'order', 'key', 'value', 'payload', 'left'] as const;
const streams = { default: fields, side: fields } as const;

interface Emission {
  readonly side: boolean;
  readonly value: number;
  readonly left: number;
}

async function pause(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    if (n % 2 === 0) await Promise.resolve();
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

export function build(graph: Graph, book: Notebook): Topology {
  return topology(
    'graph',
    (t) => {
      const handles = graph.spouts.map((node, index) =>
        t.spout(`s${index}`, spoutOf(graph, node, index, book), { parallelism: node.parallelism }),
      );
      const bolts: { [K in GroupingKind]: (source: never, key: never) => unknown }[] = [];
      const sources: { stream(name: 'side'): unknown }[] = [...handles];
      graph.bolts.forEach((node, index) => {
        const bolt = t.bolt(`b${index}`, boltOf(graph, node, index, book), {
          parallelism: node.parallelism,
          concurrency: node.concurrency,
          ordered: node.ordered,
          manualAck: node.acks !== 'return',
          tickEvery: node.acks === 'tick' || node.extra > 0 ? 7 : null,
        });
        sources.push(bolt);
        bolts.push(bolt);
      });
      graph.bolts.forEach((node, index) => {
        const subscribe = ({ from, side, grouping }: Input, feedback: boolean): void => {
          const stream = (side ? sources[from]!.stream('side') : sources[from]!) as (typeof handles)[0];
          const source = feedback ? stream.feedback({ overflow: 'drop' }) : stream;
          if (grouping === 'fields' || grouping === 'partialKey')
            bolts[index]![grouping](source as never, 'key' as never);
          else bolts[index]![grouping](source as never, undefined as never);
        };
        for (const input of node.inputs) subscribe(input, false);
        for (const input of node.loops) subscribe(input, true);
      });
    },
    { maxSpoutPending: graph.maxSpoutPending, messageTimeout: null, placement: graph.placement },
  );
}

function spoutOf(
  graph: Graph,
  node: SpoutNode,
  index: number,
  book: Notebook,
): (new () => Spout) & { readonly outputs: typeof streams } {
  return class extends Spout {
    static readonly outputs = streams;
    private context!: SpoutContext;
    private next = 0;
    private sent = 0;
    private readonly replays: number[] = [];

    override open(context: SpoutContext): void {
      this.context = context;
    }

    nextTuple(emit: Emit): void | 'done' | Promise<void | 'done'> {
      return node.style === 'sync' ? this.burst(emit, node.burst) : this.later(emit);
    }

    private async later(emit: Emit): Promise<void | 'done'> {
      await pause(2);
      if (node.style === 'async') return this.burst(emit, node.burst);
      for (let n = 1; n < node.burst; n++) {
        this.burst(emit, 1);
        await emit.ready();
      }
      return this.burst(emit, 1);
    }

    private burst(emit: Emit, most: number): void | 'done' {
      for (let n = 0; n < most; n++) {
        const number = this.replays.shift() ?? (this.next < node.count ? this.next++ : null);
        if (number === null) break;
        const value = spoutValue(index, this.context.index, number);
        const values = [this.context.task, this.sent++, value % 5, value, payloadOf(value, graph.payloadMax), ROUNDS];
        emit(values, graph.tracked ? { id: number } : {});
      }
      return this.replays.length === 0 && this.next === node.count ? 'done' : undefined;
    }

    override ack(id: unknown): void {
      book.acked[index]!.push(spoutValue(index, this.context.index, id as number));
    }

    override fail(id: unknown): void {
      book.failed++;
      this.replays.push(id as number);
    }
  };
}

function boltOf(
  graph: Graph,
  node: BoltNode,
  index: number,
  book: Notebook,
): (new () => Bolt) & { readonly outputs: typeof streams } {
  const number = graph.spouts.length + index;
  const comesBack = new Set(node.loops.map(({ from }) => `b${from - graph.spouts.length}`));

  class Node extends Bolt {
    static readonly outputs = streams;
    private context!: BoltContext;
    private readonly last = new Map<string, number>();
    private calls = 0;
    private sent = 0;
    private ticks = 0;
    private holding: Tuple[] = [];

    override prepare(context: BoltContext): void {
      this.context = context;
    }

    execute(tuple: Tuple, emit: Emit): void | Promise<void> {
      const [, , , value] = tuple.values as [number, number, number, number];
      this.checkOrder(tuple);
      if (value === EXTRA) {
        if (node.acks !== 'return') this.context.ack(tuple);
        return;
      }
      book.executed[index]!.push(value);
      const call = this.calls++;
      if (node.style !== 'sync') return this.later(tuple, value, call, emit);
      this.throwAt(value, 0);
      if (node.acks === 'tick') {
        this.holding.push(tuple);
        return;
      }
      this.follow(tuple).forEach((each, at) => this.send(each, call * CALL + at, emit));
      this.throwAt(value, 1);
      if (node.acks === 'hand') this.context.ack(tuple);
    }

    private async later(tuple: Tuple, value: number, call: number, emit: Emit): Promise<void> {
      await pause(mix(value, 3) % (node.pauses + 1));
      this.throwAt(value, 0);
      if (node.acks === 'tick') {
        this.holding.push(tuple);
        return;
      }
      let at = 0;
      for (const each of this.follow(tuple)) {
        if (node.style === 'ready') await emit.ready();
        this.send(each, call * CALL + at++, emit);
      }
      await pause(mix(value, 4) % (node.pauses + 1));
      this.throwAt(value, 1);
      if (node.acks === 'hand') this.context.ack(tuple);
    }

    /** What follows from that tuple. */
    private follow(tuple: Tuple): Emission[] {
      const [, , , value, , left] = tuple.values as [number, number, number, number, string, number];
      const rounds = comesBack.has(tuple.component) ? left - 1 : left;
      return emitsOf(number, node.emitsMax, value, rounds).map((each) => ({ ...each, left: rounds }));
    }

    /** Ordered calls leave in the order of their inputs, others as they come. */
    private send({ side, value, left }: Emission, inCall: number, emit: Emit, anchor?: Tuple): void {
      const order = node.ordered ? inCall : this.sent++;
      const payload = value === EXTRA ? 'extra' : payloadOf(value, graph.payloadMax);
      const values = [this.context.task, order, Math.abs(value) % 5, value, payload, left];
      emit(values, { ...(side ? { stream: 'side' } : {}), ...(anchor === undefined ? {} : { anchor }) } as never);
    }

    override tick(emit: Emit): void {
      const holding = this.holding;
      this.holding = [];
      const call = this.calls++;
      let at = 0;
      for (const tuple of holding) {
        for (const each of this.follow(tuple)) {
          this.send(each, call * CALL + at++, emit, tuple);
        }
        this.context.ack(tuple);
      }
      if (this.ticks++ < TICKS) this.sendExtra(call, at, emit);
    }

    override finish(emit: Emit): void {
      // An untracked tuple that was held for a tick does not keep its spout from ending.
      if (this.holding.length > 0) this.tick(emit);
      this.sendExtra(this.calls++, 0, emit);
    }

    private sendExtra(call: number, first: number, emit: Emit): void {
      for (let n = 0; n < node.extra; n++) {
        this.send({ side: n % 2 === 1, value: EXTRA, left: 0 }, call * CALL + first + n, emit);
      }
    }

    /** What one task sends to another arrives in the order in which it was sent, on each stream. */
    private checkOrder(tuple: Tuple): void {
      const [from, order] = tuple.values as [number, number];
      const key = `${from} ${tuple.stream}`;
      const last = this.last.get(key) ?? -1;
      if (order <= last) book.wrong.push(`b${index}/${this.context.index}: ${order} of task ${from} after ${last}`);
      this.last.set(key, order);
    }

    /** Half of the errors come before anything was emitted, half after. */
    private throwAt(value: number, place: number): void {
      if (node.failsEvery === 0 || value % node.failsEvery !== 0 || mix(value, 5) % 2 !== place) return;
      const key = `${index} ${value}`;
      if (book.thrown.size >= FAILURES_MAX || book.thrown.has(key)) return;
      book.thrown.add(key);
      throw new Error(PLANNED);
    }
  }
  if (node.endBatch === 'none') return Node;
  return class extends Node {
    override endBatch(): void | Promise<void> {
      return node.endBatch === 'async' ? pause(3) : undefined;
    }
  };
}
