// Batches that wait packed: they come out as they were, and what cannot be read fails its trees.

import t from 'tap';
import type { AckTarget } from '../../../engine/ack/ack-target.js';
import { pack } from '../../../engine/codec/pack.js';
import { InboundBatch, type Tracks } from '../../../engine/task/inbound-batch.js';
import { Origin } from '../../../engine/task/task-tuple.js';

const origin = new Origin('source', 'default', 0, 3, ['n'], null);

function ledgerOf(failed: number[][]): AckTarget {
  const nothing = (): void => undefined;
  return {
    spoutTask: 1,
    incarnation: 2,
    dead: false,
    ack: nothing,
    fail: (hi, lo) => failed.push([hi, lo]),
    touch: nothing,
  };
}

/** Ledger, offset, edge of each tuple. */
function tracksOf(rows: readonly (readonly [number, number, number, number])[], failed: number[][] = []): Tracks {
  return { ints: Int32Array.from(rows.flat()), ledgers: [ledgerOf(failed), null], bases: [2 ** 32 + 7, 0] };
}

t.test('tuples of one tree share their root; those of a dead incarnation and untracked ones say so', async (t) => {
  const tracks = tracksOf([
    [0, 1, 10, 11],
    [0, 1, 20, 21],
    [1, 5, 30, 31],
    [-1, 0, 0, 0],
    [0, 2, 40, 41],
  ]);
  const batch = new InboundBatch(origin, 5, pack([['a'], ['b'], ['c'], ['d'], ['e']]).slice(), tracks);
  const first = batch.next();
  t.strictSame([first.values, first.task, first.stream], [['a'], 3, 'default']);
  t.strictSame([first.root!.hi, first.root!.lo, batch.edgeHi, batch.edgeLo], [1, 8, 10, 11]);
  const second = batch.next();
  t.equal(second.root, first.root);
  t.equal(batch.edgeHi, 20);
  t.equal(batch.next().root, null);
  t.ok(batch.dead);
  t.equal(batch.next().root, null);
  t.notOk(batch.dead);
  t.equal(batch.next().root!.lo, 9);
  t.equal(batch.left, 0);
});

t.test('what is no rows, or another number of them, is refused when it is opened, and fails its trees', async (t) => {
  for (const payload of [pack('x'), pack([['a']]), pack([1, 2]), Uint8Array.of(0xc1)]) {
    const failed: number[][] = [];
    const rows = tracksOf(
      [
        [0, 1, 1, 1],
        [0, 4, 1, 1],
      ],
      failed,
    );
    const batch = new InboundBatch(origin, 2, payload.slice(), rows);
    t.throws(() => batch.next(), { code: 'MILLRACE_FRAME_INVALID' });
    t.equal(batch.left, 2, 'nothing of it was taken');
    t.equal(batch.abandon(), 2);
    t.strictSame(failed, [
      [1, 8],
      [1, 11],
    ]);
    t.equal(batch.left, 0);
  }
});
