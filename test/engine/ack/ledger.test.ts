// The ledger of a spout task against a naive model, on virtual time.

import fc from 'fast-check';
import t, { type Test } from 'tap';
import { rootHiOf, rootLoOf, sequenceOf } from '../../../engine/ack/ack-target.js';
import { Ledger, type LedgerOptions } from '../../../engine/ack/ledger.js';
import { Histogram } from '../../../engine/metrics/histogram.js';

/** What is private in a ledger and looked at here: to start it anywhere, and to see that it lets go of everything. */
interface Inside {
  base: number;
  next: number;
  readonly capacity: number;
  readonly sparse: ReadonlyMap<number, unknown>;
  readonly ids: readonly unknown[];
  readonly endedIds: readonly unknown[];
}

function inside(ledger: Ledger): Inside {
  return ledger as unknown as Inside;
}

function ledgerWith(options: Partial<LedgerOptions> = {}, firstSequence = 0): Ledger {
  const ledger = new Ledger({
    spoutTask: 0,
    incarnation: 0,
    timeoutMs: null,
    openRootsMax: 1_000_000,
    sparseRootsMax: 65_536,
    now: () => 0,
    latency: new Histogram(),
    ...options,
  });
  inside(ledger).base = firstSequence;
  inside(ledger).next = firstSequence;
  return ledger;
}

/** Opens a tree that keeps this edge open. */
function open(ledger: Ledger, id: unknown, edge = 1): number {
  ledger.begin(id);
  const sequence = sequenceOf(ledger.rootHi, ledger.rootLo);
  ledger.opened(edge, edge);
  return sequence;
}

function ack(ledger: Ledger, sequence: number, edge = 1): void {
  ledger.ack(rootHiOf(sequence), rootLoOf(sequence), edge, edge);
}

function fail(ledger: Ledger, sequence: number): void {
  ledger.fail(rootHiOf(sequence), rootLoOf(sequence));
}

function touch(ledger: Ledger, sequence: number): void {
  ledger.touch(rootHiOf(sequence), rootLoOf(sequence));
}

/** The ids that ended since the last call, those that failed with a minus sign in front. */
function ended(ledger: Ledger): string[] {
  const ids: string[] = [];
  ledger.takeEnded({ treeEnded: (id, failure) => ids.push(failure === null ? String(id) : `-${String(id)}`) });
  return ids;
}

interface Tree {
  readonly id: number;
  readonly edges: Set<number>;
  progressMs: number;
}

/** Drives a ledger as a spout task does, and a model of it. */
class Pair {
  nowMs = 0;
  readonly ledger: Ledger;
  readonly trees = new Map<number, Tree>();
  readonly endedOnce = new Set<number>();
  private readonly closed: number[] = [];
  private readonly timeoutMs: number | null;
  private readonly openRootsMax: number;
  private nextExpiryMs: number;
  private nextEdge = 1;
  private stale = 0;

  constructor(timeoutMs: number | null, openRootsMax: number, sparseRootsMax: number, first: number, phase: number) {
    this.timeoutMs = timeoutMs;
    this.openRootsMax = openRootsMax;
    this.ledger = ledgerWith({ timeoutMs, openRootsMax, sparseRootsMax, now: () => this.nowMs }, first);
    this.nextExpiryMs = phase * (this.ledger.tickMs ?? 0);
  }

  /**
   * Opens a tree with so many edges; `early` of them are acked before the opening has returned, or the tree fails then.
   */
  open(edges: number, early: number, failEarly: boolean): number | null {
    if (this.ledger.full !== this.trees.size >= this.openRootsMax) throw new Error('full is wrong');
    if (this.ledger.full) return null;
    const { ledger } = this;
    ledger.setTime(this.nowMs);
    const id = this.nextEdge;
    ledger.begin(id);
    const sequence = sequenceOf(ledger.rootHi, ledger.rootLo);
    const tree: Tree = { id, edges: new Set(), progressMs: this.nowMs };
    let xor = 0;
    for (let i = 0; i < edges; i++) {
      const edge = Math.imul(this.nextEdge++, 0x9e3779b1);
      xor ^= edge;
      tree.edges.add(edge);
    }
    this.nextEdge++;
    this.trees.set(sequence, tree);
    for (const edge of [...tree.edges].slice(0, early)) {
      ledger.ack(ledger.rootHi, ledger.rootLo, edge, ~edge);
      tree.edges.delete(edge);
    }
    if (failEarly) ledger.fail(ledger.rootHi, ledger.rootLo);
    if (ledger.ended > 0) throw new Error('a tree ended inside its emit');
    if (this.ledger.open !== this.trees.size) throw new Error('a tree that is being opened is not counted');
    ledger.opened(xor, (edges & 1) === 1 ? ~xor : xor);
    if (failEarly) this.expect(sequence, false);
    else if (tree.edges.size === 0) this.expect(sequence, true);
    this.check();
    return sequence;
  }

  ack(sequence: number, edges: readonly number[]): void {
    const tree = this.trees.get(sequence);
    let hi = 0;
    let lo = 0;
    for (const edge of edges) {
      hi ^= edge;
      lo ^= ~edge;
      if (tree === undefined) continue;
      if (!tree.edges.delete(edge)) tree.edges.add(edge);
    }
    this.ledger.ack(rootHiOf(sequence), rootLoOf(sequence), hi, lo);
    if (tree === undefined) this.stale++;
    else if (tree.edges.size === 0) this.expect(sequence, true);
    else tree.progressMs = this.nowMs;
    this.check();
  }

  fail(sequence: number): void {
    fail(this.ledger, sequence);
    if (this.trees.has(sequence)) this.expect(sequence, false);
    else this.stale++;
    this.check();
  }

  touch(sequence: number): void {
    touch(this.ledger, sequence);
    const tree = this.trees.get(sequence);
    if (tree === undefined) this.stale++;
    else tree.progressMs = this.nowMs;
    this.check();
  }

  failAll(): void {
    this.ledger.failAll();
    for (const sequence of [...this.trees.keys()]) this.expect(sequence, false);
    this.check();
  }

  /** Moves time on; deadlines are looked at every tick, as the timer of a spout task does. */
  move(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    const { tickMs } = this.ledger;
    for (; tickMs !== null && this.nextExpiryMs <= untilMs; this.nextExpiryMs += tickMs) {
      this.nowMs = Math.max(this.nowMs, this.nextExpiryMs);
      this.expire();
    }
    this.nowMs = untilMs;
  }

  private expire(): void {
    this.ledger.expire(this.nowMs);
    const timeoutMs = this.timeoutMs!;
    const found = this.takeEnded();
    const failed = new Set(found.map((id) => -id));
    for (const [sequence, tree] of this.trees) {
      const waitedMs = this.nowMs - tree.progressMs;
      if (failed.has(tree.id)) {
        if (waitedMs < timeoutMs - 1e-6) throw new Error(`failed after ${waitedMs} ms of ${timeoutMs}`);
        this.expect(sequence, false);
      } else if (waitedMs > Math.max(timeoutMs * 1.1, timeoutMs + 3)) {
        throw new Error(`still open after ${waitedMs} ms of ${timeoutMs}`);
      }
    }
    this.check(found);
  }

  private takeEnded(): number[] {
    const found: number[] = [];
    this.ledger.takeEnded({
      treeEnded: (id, failure) => found.push(failure === null ? (id as number) : -(id as number)),
    });
    return found;
  }

  private expect(sequence: number, acked: boolean): void {
    const { id } = this.trees.get(sequence)!;
    this.trees.delete(sequence);
    this.closed.push(acked ? id : -id);
    if (this.endedOnce.has(id)) throw new Error('a tree ended twice');
    this.endedOnce.add(id);
  }

  private check(found = this.takeEnded()): void {
    const { ledger } = this;
    const wanted = this.closed.splice(0);
    found.sort((a, b) => a - b);
    wanted.sort((a, b) => a - b);
    if (found.join() !== wanted.join()) throw new Error(`ended: ${found.join()} instead of ${wanted.join()}`);
    if (ledger.open !== this.trees.size) throw new Error(`${ledger.open} open instead of ${this.trees.size}`);
    if (ledger.stale !== this.stale) throw new Error(`${ledger.stale} stale instead of ${this.stale}`);
  }
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      edges: fc.nat(4),
      early: fc.nat(4),
      failEarly: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('burst' as const),
      count: fc.integer({ min: 1, max: 700 }),
      keep: fc.constantFrom(1, 2, 7, 300, 10_000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('ack' as const), which: fc.nat(), edges: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('ackOldest' as const, 'fail' as const, 'touch' as const),
      which: fc.nat(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('stale' as const),
      by: fc.constantFrom(-(2 ** 31), -3000, -1025, -1, 0, 1, 1024, 2 ** 32),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('failAll' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('move' as const), ms: fc.integer({ min: 0, max: 4000 }) }) },
);

function run(pair: Pair, steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): void {
  const some = (which: number): number | undefined => [...pair.trees.keys()][which % Math.max(1, pair.trees.size)];
  for (const each of steps) {
    switch (each.do) {
      case 'open':
        pair.open(each.edges, each.early, each.failEarly);
        break;
      case 'burst':
        // Short trees that come and go while every so many one stays: what grows the ring and fills the sparse table.
        for (let i = 0; i < each.count; i++) pair.open(2, i % each.keep === 0 ? 1 : 2, false);
        break;
      case 'ack': {
        const sequence = some(each.which);
        if (sequence === undefined) break;
        const edges = [...pair.trees.get(sequence)!.edges].slice(0, each.edges);
        // A child that was emitted and is done in the same call cancels out; one that lives on takes its parent's
        // place.
        if (each.which % 5 === 0) edges.push(Math.imul(each.which + 1, 0x85ebca6b));
        pair.ack(sequence, edges);
        break;
      }
      case 'ackOldest': {
        const sequence = some(0);
        if (sequence !== undefined) pair.ack(sequence, [...pair.trees.get(sequence)!.edges]);
        break;
      }
      case 'fail':
      case 'touch': {
        const sequence = some(each.which);
        if (sequence !== undefined) pair[each.do](sequence);
        break;
      }
      case 'stale': {
        const sequence = inside(pair.ledger).next + each.by;
        if (sequence < 0 || pair.trees.has(sequence)) break;
        pair.ack(sequence, [7]);
        pair.fail(sequence);
        pair.touch(sequence);
        break;
      }
      case 'failAll':
        pair.failAll();
        break;
      case 'move':
        pair.move(each.ms);
        break;
    }
  }
}

function leavesNothing({ ledger }: Pair): void {
  const { base, next, sparse, ids, endedIds } = inside(ledger);
  if (base !== next || sparse.size > 0) throw new Error('the ring is not empty');
  if ([...ids, ...endedIds].some((id) => id !== undefined)) throw new Error('an id is still held');
}

const starts = fc.constantFrom(0, 2 ** 31 - 600, 2 ** 32 - 600, 2 ** 33 - 600, 2 ** 40 - 1, 2 ** 53 - 100_000);

t.test('random life: every tree ends once, as the model says, in time and not early', async (t) => {
  const timeouts = fc.constantFrom(null, 1, 10, 33, 1000, 10_000, 30_000);
  const property = fc.property(
    timeouts,
    fc.constantFrom(3, 1500, 1_000_000),
    starts,
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.array(step, { minLength: 1, maxLength: 60 }),
    (timeoutMs, openRootsMax, first, phase, steps) => {
      const pair = new Pair(timeoutMs, openRootsMax, 65_536, first, phase);
      run(pair, steps);
      pair.failAll();
      leavesNothing(pair);
    },
  );
  fc.assert(property, { numRuns: 150 });
  t.pass('150 runs');
});

t.test('random life with a small sparse table, which says when it is full', async (t) => {
  const property = fc.property(
    starts,
    fc.nat(5),
    fc.array(step, { minLength: 20, maxLength: 80 }),
    (first, sparseMax, steps) => {
      const pair = new Pair(1000, 1_000_000, sparseMax, first, 0);
      run(pair, steps);
      if (inside(pair.ledger).sparse.size > sparseMax) throw new Error('the sparse table is too large');
      pair.failAll();
      leavesNothing(pair);
    },
  );
  fc.assert(property, { numRuns: 60 });
  t.pass('60 runs');
});

t.test('C29 timeout 10 s; 1 and 3 of three acked: at 9 s none failed, by 11 s the second', async (t) => {
  let nowMs = 123_456.789;
  const ledger = ledgerWith({ timeoutMs: 10_000, now: () => nowMs });
  ledger.setTime(nowMs);
  const [first, , third] = [open(ledger, 1), open(ledger, 2), open(ledger, 3)];
  ack(ledger, first);
  ack(ledger, third);
  t.strictSame(ended(ledger), ['1', '3']);
  const startMs = nowMs;
  for (; nowMs < startMs + 10_000; nowMs += ledger.tickMs!) ledger.expire(nowMs);
  t.strictSame(ended(ledger), []);
  for (; nowMs <= startMs + 11_000; nowMs += ledger.tickMs!) ledger.expire(nowMs);
  t.strictSame(ended(ledger), ['-2']);
  ack(ledger, first + 1);
  t.equal(ledger.stale, 1, 'its late ack is counted and changes nothing');
  t.strictSame(ended(ledger), []);
});

t.test('C34 acks and fails that come before the opening has returned are counted', async (t) => {
  const ledger = ledgerWith();
  ledger.begin('a');
  ledger.ack(ledger.rootHi, ledger.rootLo, 5, 6);
  ledger.ack(ledger.rootHi, ledger.rootLo, 7, 8);
  t.strictSame(ended(ledger), []);
  ledger.opened(5 ^ 7, 6 ^ 8);
  t.strictSame(ended(ledger), ['a']);
  ledger.begin('b');
  ledger.fail(ledger.rootHi, ledger.rootLo);
  ledger.ack(ledger.rootHi, ledger.rootLo, 5, 6);
  t.strictSame(ended(ledger), []);
  ledger.opened(5, 6);
  t.strictSame(ended(ledger), ['-b']);
  ledger.begin('nothing was emitted');
  ledger.opened(0, 0);
  t.strictSame(ended(ledger), ['nothing was emitted']);
  t.equal(ledger.open, 0);
});

t.test('C36 timeouts off: a tree may stay open for ever', async (t) => {
  const ledger = ledgerWith({ timeoutMs: null });
  const sequence = open(ledger, 1);
  t.equal(ledger.tickMs, null);
  for (const nowMs of [1e3, 1e9, 1e15]) ledger.expire(nowMs);
  t.equal(ledger.open, 1);
  ack(ledger, sequence);
  t.strictSame(ended(ledger), ['1']);
});

t.test(
  'one tree that stays open does not make the ring grow; its late acks and its deadline still count',
  async (t) => {
    let nowMs = 0;
    const ledger = ledgerWith({ timeoutMs: 1000, now: () => nowMs }, 2 ** 32 - 2000);
    const [acked, failed, expired, touched] = ['acked', 'failed', 'expired', 'touched'].map((id) => open(ledger, id));
    for (let i = 0; i < 20_000; i++) ack(ledger, open(ledger, i));
    t.equal(inside(ledger).capacity, 1024);
    t.equal(inside(ledger).sparse.size, 4);
    t.equal(ended(ledger).length, 20_000);
    nowMs = 900;
    ledger.setTime(nowMs);
    touch(ledger, touched!);
    ledger.ack(rootHiOf(acked!), rootLoOf(acked!), 1, 2);
    ack(ledger, expired! + 5000, 3);
    t.equal(ledger.stale, 1);
    fail(ledger, failed!);
    t.strictSame(ended(ledger), ['-failed']);
    ledger.expire(1200);
    t.strictSame(ended(ledger), ['-expired']);
    ledger.ack(rootHiOf(acked!), rootLoOf(acked!), 0, 3);
    t.strictSame(ended(ledger), ['acked']);
    ledger.expire(2100);
    t.strictSame(ended(ledger), ['-touched']);
    t.equal(ledger.open, 0);
  },
);

t.test(
  'more long-open trees than the sparse table holds: the ring grows to a bound, and then the spout rests',
  async (t) => {
    const ledger = ledgerWith({ openRootsMax: 3000, sparseRootsMax: 10 });
    const kept: number[] = [];
    for (let i = 0; i < 20; i++) kept.push(open(ledger, i));
    let opened = 0;
    while (!ledger.full && opened < 200_000) {
      ack(ledger, open(ledger, 'short'));
      opened++;
    }
    t.ok(opened < 200_000, 'it does not grow for ever');
    t.ok(inside(ledger).capacity <= 4 * 4096, `${inside(ledger).capacity} slots`);
    ended(ledger);
    for (const sequence of kept) ack(ledger, sequence);
    t.equal(ended(ledger).length, 20);
    t.notOk(ledger.full, 'once they are done it goes on');
    ack(ledger, open(ledger, 'next'));
    t.strictSame(ended(ledger), ['next']);
  },
);

t.test('it is full at openRootsMax and takes one more for each that ends', async (t) => {
  const ledger = ledgerWith({ openRootsMax: 2000 });
  const sequences: number[] = [];
  while (!ledger.full) sequences.push(open(ledger, sequences.length));
  t.equal(sequences.length, 2000);
  ack(ledger, sequences[1000]!);
  t.notOk(ledger.full);
  open(ledger, 'one more');
  t.ok(ledger.full);
});

t.test('complete latency: each of the first trees, then one in 64, across growth and the sparse table', async (t) => {
  latencyIs(t, 100, () => 100);
  latencyIs(t, 4096 + 1600, () => 4096 + 25);
});

/** Opens that many trees at different times and acks each 7 ms later than it was opened. */
function latencyIs(t: Test, trees: number, wanted: () => number): void {
  let nowMs = 0;
  const latency = new Histogram();
  const ledger = ledgerWith({ now: () => nowMs, latency });
  const waiting: number[] = [];
  for (let i = 0; i < trees; i++) {
    waiting.push(open(ledger, i));
    nowMs += 0.001;
    // Seven thousand are open at once, so that the ring grows while they are.
    if (waiting.length > 7000) ack(ledger, waiting.shift()!);
  }
  for (const sequence of waiting) ack(ledger, sequence);
  t.equal(latency.count, wanted());
  t.ok(latency.summary().maxMs <= 7.6);
}

t.test('the halves of a root', async (t) => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (sequence) => {
      const [hi, lo] = [rootHiOf(sequence), rootLoOf(sequence)];
      return sequenceOf(hi, lo) === sequence && hi < 2 ** 21 && lo === (lo | 0);
    }),
  );
  for (const sequence of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33, 2 ** 53 - 1]) {
    t.equal(sequenceOf(rootHiOf(sequence), rootLoOf(sequence)), sequence);
  }
});
