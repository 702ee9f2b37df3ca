// Tuples that belong to several trees: what is written comes back with all of its trees, in frames beside others.

import fc from 'fast-check';
import t from 'tap';
import type { AckTarget } from '../../../engine/ack/ack-target.js';
import { Ledger } from '../../../engine/ack/ledger.js';
import { Root } from '../../../engine/ack/root.js';
import { rootOf, SeveralTrees, TreeUnion } from '../../../engine/ack/several-trees.js';
import { readDataFrame } from '../../../engine/codec/data-frame.js';
import { DataFrameWriter } from '../../../engine/codec/data-frame-writer.js';
import { Outbox } from '../../../engine/codec/outbox.js';
import { ReceivedTexts } from '../../../engine/codec/text-dictionary.js';
import { isMillraceError } from '../../../engine/errors.js';
import { runtimeLimits, TREES_PER_TUPLE_MAX } from '../../../engine/limits.js';
import { deliverFrame } from '../../../engine/link/frame-delivery.js';
import { InboundChannel } from '../../../engine/link/inbound-channel.js';
import { Histogram } from '../../../engine/metrics/histogram.js';
import type { InboundBatch } from '../../../engine/task/inbound-batch.js';
import { Origin } from '../../../engine/task/task-tuple.js';

const ledgers: readonly AckTarget[] = [0, 1, 2, 3].map(
  (spoutTask) =>
    new Ledger({
      spoutTask,
      incarnation: spoutTask,
      timeoutMs: null,
      openRootsMax: 1,
      sparseRootsMax: 1,
      now: () => 0,
      latency: new Histogram(),
    }),
);

/** Delivers a frame whose ledgers all live but one, and gives what was received, tuple by tuple. */
function deliver(frame: Uint8Array, deadTask = -1): string[] {
  const found: string[] = [];
  const channel = new InboundChannel(0, 9, { markOwing: () => undefined });
  channel.origins.push(new Origin('source', 'default', 0, 0, ['n'], channel));
  const batches: InboundBatch[] = [];
  const nothing = (): void => undefined;
  const host = {
    limits: runtimeLimits,
    saturated: false,
    now: () => 0,
    ledgerOf: (task: number) => (task === deadTask ? null : (ledgers[task] ?? null)),
    fillOrigins: nothing,
    receive: (_task: number, batch: InboundBatch) => void batches.push(batch),
    receiveEnd: nothing,
    outboxChanged: nothing,
    requestTurn: nothing,
    accepts: () => true,
    frameRefused: nothing,
    linkLost: nothing,
    acked: nothing,
    failed: nothing,
    touched: nothing,
    receiveMark: nothing,
  };
  deliverFrame(readDataFrame(frame), host, () => channel, nothing, new ReceivedTexts());
  for (const batch of batches) {
    while (batch.left > 0) {
      const { values, root } = batch.next();
      found.push(shown(values[0] as number, root, batch.edgeHi, batch.edgeLo, batch.dead));
    }
  }
  return found;
}

function shown(n: number, root: Root | null, hi: number, lo: number, dead = false): string {
  if (dead) return `${n} dead`;
  const each = root === null ? [] : root.ledger instanceof SeveralTrees ? root.ledger.roots : [root];
  return `${n} ${each.map(({ ledger, hi, lo }) => `${ledger.spoutTask}:${hi}:${lo}`).join(',')} ${root === null ? '' : `${hi} ${lo}`}`;
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const tree = fc.record({ ledger: fc.nat(3), hi: fc.constantFrom(0, 1, 2 ** 20), lo: int32 });
const row = fc.record({
  trees: fc.oneof(
    { weight: 3, arbitrary: fc.array(tree, { maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(tree, { minLength: 2, maxLength: 6 }) },
  ),
  hi: int32,
  lo: int32,
});

t.test('every tuple comes back with all of its trees, and without those that are over', async (t) => {
  const property = fc.property(
    fc.array(fc.array(row, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: -1, max: 3 }),
    (segments, deadTask) => {
      const writer = new DataFrameWriter();
      const all: string[] = [];
      const living: string[] = [];
      let n = 0;
      for (const rows of segments) {
        const outbox = new Outbox();
        for (const { trees, hi, lo } of rows) {
          const union = new TreeUnion();
          for (const each of trees) union.add(new Root(ledgers[each.ledger]!, each.hi, each.lo));
          const root = union.root();
          const left = new TreeUnion();
          for (const each of trees) {
            if (each.ledger !== deadTask) left.add(new Root(ledgers[each.ledger]!, each.hi, each.lo));
          }
          outbox.push([n], 0, root, hi, lo, 1);
          all.push(shown(n, root, hi, lo));
          living.push(shown(n, left.root(), hi, lo, left.size === 0 && trees.length > 0));
          n++;
        }
        writer.addTuples(0, 9, 0, outbox, rows.length, rows.length);
      }
      const frame = writer.finish();
      if (deliver(frame).join('\n') !== all.join('\n')) throw new Error('something else arrived');
      if (deliver(frame, deadTask).join('\n') !== living.join('\n')) throw new Error('what is over came back');
    },
  );
  fc.assert(property, { numRuns: 300 });
  t.pass('300 runs');
});

t.test('a tuple of as many trees as may be fits into a frame', async (t) => {
  const writer = new DataFrameWriter();
  const outbox = new Outbox();
  const roots = Array.from({ length: TREES_PER_TUPLE_MAX }, (_, n) => new Root(ledgers[n % 4]!, n % 3, n * 7));
  outbox.push(['x'], 0, rootOf(roots), 5, 6, 1);
  writer.addTuples(0, 9, 0, outbox, 1, 1);
  const [found] = deliver(writer.finish());
  t.equal(found?.split(',').length, TREES_PER_TUPLE_MAX);
});

t.test('changed bytes of such a frame never crash a reader', async (t) => {
  const writer = new DataFrameWriter();
  const outbox = new Outbox();
  for (let n = 0; n < 3; n++) {
    outbox.push([n], 0, rootOf([new Root(ledgers[n]!, 0, 1), new Root(ledgers[3]!, 0, 2)]), 5, 6, 1);
  }
  writer.addTuples(0, 9, 0, outbox, 3, 3);
  const frame = writer.finish();
  let refused = 0;
  const property = fc.property(fc.nat(Math.floor(frame.length / 4) - 1), int32, (at, value) => {
    const copy = frame.slice();
    new DataView(copy.buffer).setInt32(at * 4, value, true);
    try {
      deliver(copy);
    } catch (error) {
      if (!isMillraceError(error) || error.code !== 'MILLRACE_FRAME_INVALID') throw error;
      refused++;
    }
  });
  fc.assert(property, { numRuns: 500 });
  t.ok(refused > 0);
});

t.test('a tree that is met twice is in the union once', async (t) => {
  const union = new TreeUnion();
  const [a, b] = [new Root(ledgers[0]!, 0, 1), new Root(ledgers[1]!, 0, 1)];
  t.equal(union.root(), null);
  union.add(a);
  union.add(new Root(ledgers[0]!, 0, 1));
  t.equal(union.root(), a, 'and one alone stands for itself');
  union.add(rootOf([b, a])!);
  const root = union.root()!;
  t.ok(root.ledger instanceof SeveralTrees);
  t.strictSame((root.ledger as SeveralTrees).roots, [a, b]);
  t.equal(root.ledger.dead, false);
});
