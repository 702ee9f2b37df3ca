// Records from outside: each is answered once, with what became of its tree. C121 for those that wait for an answer.

import type { TestRun } from 'millrace/testing';
import { linked, onEachTransport, range, topologyUrl, type Test, type Transport } from './transports.js';

const ingesting = topologyUrl('ingesting');

function onEach(title: string, body: (t: Test, run: TestRun) => Promise<void>, on?: readonly Transport[]): void {
  onEachTransport(title, ingesting, {}, body, on);
}

/** How each of them ended: `done`, or the code of its error. */
async function answers(calls: readonly Promise<void>[]): Promise<string[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((each) => (each.status === 'fulfilled' ? 'done' : (each.reason as { code: string }).code));
}

const isDoneOrLost = (answer: string): boolean => answer === 'done' || answer === 'MILLRACE_INGEST_LOST';

onEach('a record is emitted with its values, and answered when its tree is acked', async (t, run) => {
  await run.ingest('orders', { what: 'ack', customer: 'Ahab' });
  await run.ingest('orders', ['Ishmael', 'ack']);
  t.strictSame(run.executed('clerk'), [
    ['Ahab', 'ack'],
    ['Ishmael', 'ack'],
  ]);
  const waits = run.ingest('orders', ['Queequeg', 'wait']);
  let answered = false;
  void waits.then(() => (answered = true));
  await run.settle();
  t.equal(answered, false);
  t.equal(run.status().openTrees, 1);
  await run.advance('1s');
  await waits;
  const tasks = new Set(run.of('emitted', 'orders').map(({ task }) => task));
  t.equal(tasks.size, 2, 'its tasks take turns');
  t.equal(run.status().state, 'active', 'it has no end of its own');
});

onEach('a record whose tree fails is answered with why, and not replayed', async (t, run) => {
  await t.rejects(run.ingest('orders', ['Pip', 'fail']), {
    code: 'MILLRACE_INGEST_FAILED',
    message: /record for spout "orders" failed/,
  });
  const late = answers([run.ingest('orders', ['Starbuck', 'for ever'])]);
  await run.advance('12s');
  t.strictSame(await late, ['MILLRACE_INGEST_TIMEOUT']);
  t.equal(run.emitted('orders').length, 2);
  t.match(run.status().components['clerk']?.lastErrors, [
    {
      component: 'clerk',
      count: 1,
      error: { message: /no such customer as Pip/, stack: /topologies\/ingesting\.[jt]s/ },
    },
  ]);
});

onEach('thousands at once are all answered', async (t, run) => {
  const whats = range(3000).map((each) => (each % 3 === 0 ? 'fail' : 'ack'));
  const ended = await answers(whats.map((what, customer) => run.ingest('orders', { customer, what })));
  t.strictSame(
    ended,
    whats.map((what) => (what === 'fail' ? 'MILLRACE_INGEST_FAILED' : 'done')),
  );
  t.equal(run.status().components['orders']?.emitted, 3000);
  t.equal(run.status().openTrees, 0);
});

onEachTransport(
  'no more than maxSpoutPending are in flight, the others wait',
  ingesting,
  { settings: { maxSpoutPending: 5 } },
  async (t, run) => {
    const all = answers(range(40).map((customer) => run.ingest('orders', [customer, 'wait'])));
    await run.settle();
    t.equal(run.status().openTrees, 10, 'two tasks with five each');
    await run.advance('5s');
    t.strictSame(new Set(await all), new Set(['done']));
  },
);

onEach('what is no record for that spout is refused, and nothing emitted', async (t, run) => {
  const { hasOwnProperty } = Object.prototype;
  for (const [record, what] of [
    [['one'], 'has 1 value(s) for 2 field(s)'],
    [{ customer: 'Ahab' }, 'lacks "what"'],
    [{ customer: 'Ahab', what: 'ack', whale: 1, boat: 2 }, 'has "whale", "boat", which is no field'],
    [{ customer: 'Ahab', wath: 'ack' }, 'lacks "what" and has "wath", which is no field'],
    ['Ahab', 'is "Ahab", not an object or a list'],
    [null, 'is null, not an object or a list'],
    [[1, { deep: [hasOwnProperty] }], 'holds a value that cannot travel, at values[1].deep[0]: a function'],
    [['x'.repeat(3 * 1024 * 1024), 1], 'the limit is'],
    [
      {
        what: 1,
        get customer(): unknown {
          throw new RangeError('gone overboard');
        },
      },
      'cannot be read: gone overboard',
    ],
  ] as const) {
    const error: unknown = await run.ingest('orders', record).catch((thrown: unknown) => thrown);
    t.match(error, { code: 'MILLRACE_INGEST_RECORD', status: 400, hint: /customer, what/ });
    t.ok(String((error as Error).message).includes(what), `${(error as Error).message}`);
  }
  for (const spout of ['others', 'clerk', 'nobody']) {
    await t.rejects(run.ingest(spout, [1, 2]), {
      code: 'MILLRACE_INGEST_SPOUT',
      status: 404,
      message: `topology "ingesting" has no spout "${spout}" that takes records`,
      hint: /in this topology: "orders"$/,
    });
  }
  t.equal(run.emitted('orders').length, 0);
});

onEach('a record is what it was when it was given', async (t, run) => {
  const record = { customer: ['Ahab'], what: 'ack' };
  const given = run.ingest('orders', record);
  record.customer[0] = 'Moby Dick';
  await given;
  t.strictSame(run.executed('clerk'), [[['Ahab'], 'ack']]);
});

onEach('a deactivated topology refuses records, also those that were not emitted yet', async (t, run) => {
  const early = answers(range(10).map((customer) => run.ingest('orders', [customer, 'wait'])));
  await run.settle();
  const queued = answers(range(10).map((customer) => run.ingest('orders', [customer, 'ack'])));
  await run.deactivate();
  t.strictSame(new Set(await queued), new Set(['MILLRACE_INGEST_INACTIVE']));
  await t.rejects(run.ingest('orders', [1, 'ack']), { code: 'MILLRACE_INGEST_INACTIVE', status: 409 });
  await run.advance('1s');
  t.strictSame(new Set(await early), new Set(['done']), 'those in flight are finished');
  await run.activate();
  await run.ingest('orders', ['again', 'ack']);
});

onEachTransport(
  'what waits for room when the topology is deactivated is refused',
  ingesting,
  { settings: { maxSpoutPending: 1 } },
  async (t, run) => {
    const all = answers(range(6).map((customer) => run.ingest('orders', [customer, 'wait'])));
    await run.settle();
    await run.deactivate();
    await run.advance('1s');
    t.strictSame((await all).sort(), [...range(4).map(() => 'MILLRACE_INGEST_INACTIVE'), 'done', 'done']);
  },
);

onEach('C118 records when the topology is killed', async (t, run) => {
  const waits = answers([run.ingest('orders', ['a', 'wait']), run.ingest('orders', ['b', 'for ever'])]);
  await run.settle();
  const killed = run.kill({ waitMs: 5000 });
  await t.rejects(run.ingest('orders', [1, 'ack']), { code: 'MILLRACE_INGEST_ENDED' });
  await run.advance('6s');
  await killed;
  t.strictSame(await waits, ['done', 'MILLRACE_INGEST_ENDED']);
  await t.rejects(run.ingest('orders', [1, 'ack']), { code: 'MILLRACE_INGEST_ENDED' });
});

onEach('a caller that goes away is forgotten, and its tree goes on', async (t, run) => {
  const caller = new AbortController();
  const reason = new Error('hung up');
  const calls = range(20).map((customer) => run.ingest('orders', [customer, 'wait'], caller.signal));
  const settled = Promise.allSettled(calls);
  await run.settle();
  caller.abort(reason);
  for (const each of await settled) t.match(each, { status: 'rejected', reason });
  await run.advance('1s');
  t.equal(run.status().components['orders']?.acked, 20);
  await t.rejects(run.ingest('orders', [1, 'ack'], caller.signal), reason);
  const unsent = new AbortController();
  const call = run.ingest('orders', ['never sent', 'ack'], unsent.signal);
  await Promise.resolve();
  unsent.abort(reason);
  await t.rejects(call, reason);
  await run.settle();
  t.equal(run.status().components['orders']?.emitted, 20);
});

onEach(
  'C121 records in a worker that dies are lost at once, and the next ones are answered',
  async (t, run) => {
    const all = range(20).map((customer) => run.ingest('orders', [customer, 'for ever']));
    const ended = answers(all);
    await run.settle();
    await run.crash(0);
    const around = answers(range(6).map((customer) => run.ingest('orders', [customer, 'ack'])));
    await run.settle();
    t.strictSame(new Set(await ended), new Set(['MILLRACE_INGEST_LOST']), 'without any time going by');
    t.ok((await around).every(isDoneOrLost), 'those given around the loss are answered too');
    const next = await answers(range(6).map((customer) => run.ingest('orders', [customer, 'ack'])));
    t.strictSame(new Set(next), new Set(['done']));
    await run.crash(1);
    await run.settle();
    await run.ingest('orders', ['at last', 'ack']);
    t.equal(run.status().workerDeaths, 2);
    t.equal(run.status().openTrees, 0);
  },
  linked,
);

onEach(
  'C121 records while both workers are replaced wait for them',
  async (t, run) => {
    await Promise.all([run.crash(0), run.crash(1)]);
    const held = answers(range(10).map((customer) => run.ingest('orders', [customer, 'ack'])));
    await run.settle();
    t.ok((await held).every(isDoneOrLost));
    t.strictSame(await answers([run.ingest('orders', ['after', 'ack'])]), ['done']);
  },
  linked,
);
