// The queue of a task: first in, first out, however it grows; senders of the same worker are told when there is room.

import fc from 'fast-check';
import t from 'tap';
import { runtimeLimits } from '../../../engine/limits.js';
import { InboundChannel } from '../../../engine/link/inbound-channel.js';
import { Mailbox } from '../../../engine/task/mailbox.js';
import { Origin, TaskTuple } from '../../../engine/task/task-tuple.js';

const local = new Origin('source', 'default', 0, 0, ['n'], null);
const channel = new InboundChannel(0, 1, { markOwing: () => undefined });
const remote = new Origin('source', 'default', 0, 0, ['n'], channel);

function tupleOf(n: number, origin = local, bytes = 1): TaskTuple {
  const tuple = new TaskTuple([n], origin, null);
  tuple.bytes = bytes;
  return tuple;
}

t.test('first in, first out; crowded and woken as its local tuples say', async (t) => {
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
    { weight: 5, arbitrary: fc.record({ do: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 20 }) }) },
    { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
  );
  const property = fc.property(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 200 }),
    fc.array(step, { maxLength: 80 }),
    (mailboxTuplesMax, mailboxBytesMax, steps) => {
      const mailbox = new Mailbox({ ...runtimeLimits, mailboxTuplesMax, mailboxBytesMax });
      const model: TaskTuple[] = [];
      let next = 0;
      let waiting = 0;
      const sums = (): readonly [number, number] => {
        const own = model.filter((tuple) => tuple.origin.channel === null);
        return [own.length, own.reduce((sum, tuple) => sum + tuple.bytes, 0)];
      };
      for (const each of steps) {
        if (each.do === 'wait') {
          if (!mailbox.crowded) continue;
          waiting++;
          mailbox.wait({
            unblock: (by) => {
              const [tuples, bytes] = sums();
              if (by !== mailbox || tuples > mailboxTuplesMax / 2 || bytes > mailboxBytesMax / 2)
                throw new Error('too early');
              waiting--;
            },
          });
          continue;
        }
        for (let i = 0; i < each.count; i++) {
          if (each.do === 'push') {
            const tuple = tupleOf(next++, each.remote ? remote : local, each.bytes);
            model.push(tuple);
            mailbox.push(tuple);
          } else if (model.length > 0) {
            const wanted = model.shift();
            if (mailbox.shift() !== wanted) throw new Error('out of order');
          }
          const [tuples, bytes] = sums();
          if (mailbox.size !== model.length) throw new Error('another size');
          if (mailbox.crowded !== (tuples >= mailboxTuplesMax || bytes >= mailboxBytesMax))
            throw new Error('crowded is wrong');
          if (tuples === 0 && waiting > 0) throw new Error('a sender waits for an empty mailbox');
        }
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
  t.pass('300 runs');
});

t.test('tuples that credit pays for crowd nobody', async (t) => {
  const mailbox = new Mailbox({ ...runtimeLimits, mailboxTuplesMax: 1 });
  for (let n = 0; n < 100; n++) mailbox.push(tupleOf(n, remote));
  t.notOk(mailbox.crowded);
  mailbox.push(tupleOf(100));
  t.ok(mailbox.crowded);
});

t.test('it lets go of what it gave out', async (t) => {
  const mailbox = new Mailbox(runtimeLimits);
  for (let n = 0; n < 40; n++) mailbox.push(tupleOf(n));
  while (mailbox.size > 0) mailbox.shift();
  const { tuples } = mailbox as unknown as { tuples: unknown[] };
  t.ok(tuples.every((tuple) => tuple === undefined));
});
