// What a worker gathers for the ledger of another one: merged by root, nothing lost over flushes.

import fc from 'fast-check';
import t from 'tap';
import { ACK_ROW_INTS, RemoteLedger } from '../../../engine/ack/remote-ledger.js';

type Roots = Map<string, { hi: number; lo: number }>;

function add(roots: Roots, key: string, hi: number, lo: number): void {
  const root = roots.get(key) ?? { hi: 0, lo: 0 };
  roots.set(key, { hi: root.hi ^ hi, lo: root.lo ^ lo });
}

/** Takes what is gathered, as a link does. */
function flush(ledger: RemoteLedger, into: Roots): void {
  for (let row = 0; row < ledger.rowCount; row++) {
    const [rootHi, rootLo, hi, lo] = ledger.rows.subarray(row * ACK_ROW_INTS, (row + 1) * ACK_ROW_INTS);
    add(into, `${rootHi}/${rootLo}`, hi!, lo!);
  }
  ledger.clear();
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const root = fc.oneof(
  fc.record({ hi: fc.constantFrom(0, 1, 2 ** 20), lo: fc.integer({ min: -300, max: 300 }) }),
  // The same place in the table of recent rows.
  fc.record({ hi: fc.nat(1), lo: fc.nat(4).map((n) => n * 256 - 512) }),
);
const step = fc.oneof(
  { weight: 20, arbitrary: fc.record({ root, hi: int32, lo: int32 }) },
  { weight: 1, arbitrary: fc.constant('flush' as const) },
);

t.test('what is sent is the XOR of what was acked, root by root', async (t) => {
  const property = fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), (steps) => {
    const marked: RemoteLedger[] = [];
    const ledger = new RemoteLedger(3, 1, { markDirty: (each) => marked.push(each) });
    const wanted: Roots = new Map();
    const sent: Roots = new Map();
    let waiting = 0;
    for (const each of steps) {
      if (each === 'flush') {
        if (marked.length !== (waiting > 0 ? 1 : 0)) throw new Error('not marked, or twice');
        marked.length = 0;
        waiting = 0;
        flush(ledger, sent);
      } else {
        ledger.ack(each.root.hi, each.root.lo, each.hi, each.lo);
        add(wanted, `${each.root.hi}/${each.root.lo}`, each.hi, each.lo);
        if ((each.hi | each.lo) !== 0) waiting++;
      }
    }
    flush(ledger, sent);
    for (const [key, { hi, lo }] of wanted) {
      const found = sent.get(key) ?? { hi: 0, lo: 0 };
      if (found.hi !== hi || found.lo !== lo) throw new Error(`root ${key}`);
    }
    if ([...sent.keys()].some((key) => !wanted.has(key))) throw new Error('a root that nobody acked');
  });
  fc.assert(property, { numRuns: 60 });
  t.pass('60 runs');
});

t.test('acks of one tree that come close to each other take one row', async (t) => {
  const ledger = new RemoteLedger(0, 0, { markDirty: () => undefined });
  for (let word = 0; word < 1000; word++) ledger.ack(5, -7, word, word * 3);
  t.equal(ledger.rowCount, 1);
  for (let sentence = 0; sentence < 200; sentence++) {
    for (let word = 0; word < 7; word++) ledger.ack(0, sentence, word + 1, 1);
  }
  t.equal(ledger.rowCount, 201);
});

t.test('rows of the last flush are never written to', async (t) => {
  const ledger = new RemoteLedger(0, 0, { markDirty: () => undefined });
  ledger.ack(0, 1, 5, 5);
  ledger.clear();
  ledger.ack(0, 2, 9, 9);
  ledger.ack(0, 1, 7, 7);
  t.strictSame([...ledger.rows.subarray(0, 2 * ACK_ROW_INTS)], [0, 2, 9, 9, 0, 1, 7, 7]);
});

t.test('fails and touches are kept in order until they are sent; each flush is asked for once', async (t) => {
  let marks = 0;
  const ledger = new RemoteLedger(0, 0, { markDirty: () => marks++ });
  ledger.fail(0, 1);
  ledger.fail(0, 2);
  ledger.touch(1, 3);
  t.strictSame([ledger.failed, ledger.touched, marks], [[0, 1, 0, 2], [1, 3], 1]);
  ledger.clear();
  t.strictSame([ledger.failed, ledger.touched], [[], []]);
  ledger.touch(1, 4);
  ledger.ack(0, 0, 0, 0);
  t.equal(marks, 2);
  t.equal(ledger.rowCount, 0, 'an ack that changes nothing is not sent');
});
