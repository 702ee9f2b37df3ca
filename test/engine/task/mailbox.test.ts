// The queue of a task: first in, first out, however it grows; senders of the same worker are told when there is room.

import fc from 'fast-check';
import t from 'tap';
import { runtimeLimits } from '../../../engine/limits.js';
import { InboundChannel } from '../../../engine/link/inbound-channel.js';
import { pack } from '../../../engine/codec/pack.js';
import { InboundBatch } from '../../../engine/task/inbound-batch.js';
import { Mailbox } from '../../../engine/task/mailbox.js';
import { Origin, TaskTuple } from '../../../engine/task/task-tuple.js';

const local = new Origin('source', 'default', 0, 0, ['n'], null);
const channel = new InboundChannel(0, 1, { markOwing: () => undefined });
const remote = new Origin('source', 'default', 0, 0, ['n'], channel);

function tupleOf(n: number, bytes = 1): TaskTuple {
  const tuple = new TaskTuple([n], local, null);
  tuple.bytes = bytes;
  return tuple;
}

function batchOf(first: number, count: number): InboundBatch {
  const rows = Array.from({ length: count }, (_, i) => [first + i]);
  return new InboundBatch(remote, count, pack(rows).slice(), null);
}

/** Takes the next tuple, as a bolt task does. */
function take(mailbox: Mailbox): TaskTuple {
  const batch = mailbox.nextBatch();
  if (batch === null) return mailbox.shift();
  const tuple = batch.next();
  mailbox.tookFromBatch(1);
  return tuple;
}

t.test('each sender in order, in turns; crowded and woken as the local tuples say', async (t) => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('push' as const),
        remote: fc.boolean(),
        bytes: fc.integer({ min: 1, max: 60 }),
        count: fc.integer({ min: 1, max: 20 }),
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 20 }) }) },
    { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
  );
  const property = fc.property(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 200 }),
    fc.array(step, { maxLength: 80 }),
    (mailboxTuplesMax, mailboxBytesMax, steps) => {
      const mailbox = new Mailbox({ ...runtimeLimits, mailboxTuplesMax, mailboxBytesMax }, 1);
      const own: TaskTuple[] = [];
      const others: number[] = [];
      let next = 0;
      let waiting = 0;
      let passedOver = 0;
      const bytesOf = (): number => own.reduce((sum, tuple) => sum + tuple.bytes, 0);
      const check = (): void => {
        if (mailbox.size !== own.length + others.length || mailbox.localTuples !== own.length) {
          throw new Error('another size');
        }
        if (mailbox.crowded !== (own.length >= mailboxTuplesMax || bytesOf() >= mailboxBytesMax)) {
          throw new Error('crowded is wrong');
        }
        if (own.length === 0 && waiting > 0) throw new Error('a sender waits for an empty mailbox');
      };
      for (const each of steps) {
        if (each.do === 'wait') {
          if (!mailbox.crowded) continue;
          waiting++;
          mailbox.wait({
            unblock: (by) => {
              if (by !== mailbox || own.length > mailboxTuplesMax / 2 || bytesOf() > mailboxBytesMax / 2) {
                throw new Error('too early');
              }
              waiting--;
            },
          });
        } else if (each.do === 'push' && each.remote) {
          mailbox.pushBatch(batchOf(next, each.count));
          for (let i = 0; i < each.count; i++) others.push(next++);
          check();
        } else {
          for (let i = 0; i < each.count; i++) {
            if (each.do === 'push') {
              const tuple = tupleOf(next++, each.bytes);
              own.push(tuple);
              mailbox.push(tuple);
            } else if (mailbox.size > 0) {
              const mixed = own.length > 0 && others.length > 0;
              const wanted = own.length > 0 ? own[0] : null;
              // Told that there is room while it is taken.
              const isOwn = mailbox.localTuples > 0;
              const batch = mailbox.nextBatch();
              if (batch === null) {
                if (!isOwn) throw new Error('there is none of this worker');
                own.shift();
                if (mailbox.shift() !== wanted) throw new Error('out of order');
              } else {
                if (batch.next().values[0] !== others.shift()) throw new Error('out of order');
                mailbox.tookFromBatch(1);
              }
              passedOver = mixed && batch === null ? passedOver + 1 : 0;
              if (passedOver > 1) throw new Error('other workers do not get their turn');
            }
            check();
          }
        }
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
  t.pass('300 runs');
});

t.test('tuples that credit pays for crowd nobody', async (t) => {
  const mailbox = new Mailbox({ ...runtimeLimits, mailboxTuplesMax: 1 }, 1);
  mailbox.pushBatch(batchOf(0, 100));
  t.notOk(mailbox.crowded);
  mailbox.push(tupleOf(100));
  t.ok(mailbox.crowded);
});

t.test('it lets go of what it gave out', async (t) => {
  const mailbox = new Mailbox(runtimeLimits, 1);
  for (let n = 0; n < 40; n++) mailbox.push(tupleOf(n));
  for (let n = 0; n < 200; n++) mailbox.pushBatch(batchOf(n, 1));
  while (mailbox.size > 0) take(mailbox);
  const { tuples, batches } = mailbox as unknown as { tuples: unknown[]; batches: unknown[] };
  t.ok(tuples.every((tuple) => tuple === undefined));
  t.equal(batches.length, 0);
});
