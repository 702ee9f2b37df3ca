// What happens when targets are slower than their senders: C112, C120.

import { onEachTransport, range, settleUntil, topologyUrl } from './transports.js';
import type { RuntimeLimits } from '../../engine/limits.js';

const rooms: Readonly<Record<string, Partial<RuntimeLimits>>> = {
  'with the usual limits': {},
  'with hardly any room': {
    batchTuplesMax: 3,
    mailboxTuplesMax: 2,
    channelReserveTuples: 1,
    linkSharedTuples: 4,
    sliceTuplesMax: 5,
    directDepthMax: 2,
  },
  'with hardly any bytes': { batchBytesMax: 40, mailboxBytesMax: 60, channelReserveBytes: 30, linkSharedBytes: 100 },
};

for (const [room, limits] of Object.entries(rooms)) {
  for (const tracked of [true, false]) {
    const title = `C112 tuples arrive in the order in which they were sent, ${room}, ${tracked ? 'tracked' : 'not tracked'}`;
    onEachTransport(
      title,
      topologyUrl('flowing'),
      { limits, settings: { 'numbers.tracked': tracked } },
      async (t, run) => {
        t.equal((await run.completed).status, 'completed');
        t.equal(run.printed.length, 6, 'nothing was out of order');
        const totals = new Map<string, number>();
        for (const line of run.printed) {
          const [, component = '', took = ''] = /^(\w+)\/\d (\d+)$/.exec(line) ?? [];
          totals.set(component, (totals.get(component) ?? 0) + Number(took));
        }
        t.same(
          totals,
          new Map([
            ['forward', 1000],
            ['slow', 1000],
            ['sink', 1000],
          ]),
          'and nothing was lost',
        );
        const { components } = run.status();
        t.equal(components['numbers']?.acked, tracked ? 1000 : 0);
        for (const { outbox, queued } of Object.values(components)) t.strictSame([outbox, queued], [0, 0]);
      },
    );
  }
}

const tiny = {
  batchTuplesMax: 4,
  mailboxTuplesMax: 4,
  channelReserveTuples: 2,
  linkSharedTuples: 6,
  sliceTuplesMax: 8,
} satisfies Partial<RuntimeLimits>;

onEachTransport(
  'C120 out of credit towards one task: its sender rests, the others and the worker go on',
  topologyUrl('pressure'),
  { fed: ['left', 'right', 'waits', 'command'], limits: tiny },
  async (t, run, transport) => {
    const gate = `C120 ${transport.name}`;
    const values = (count: number): unknown[] => range(count).map((number) => [[gate, number]]);
    for (const number of range(200)) run.feed('left', [[gate, number]], { id: number });
    await run.settle();
    t.strictSame(run.executed('slow'), values(1));
    const relayed = run.executed('relay').length;
    t.ok(relayed <= 30, `the relay takes no more input (it took ${relayed})`);
    const emitted = run.emitted('left').length;
    t.ok(emitted <= 50, `and its spout rests (it emitted ${emitted})`);
    for (const number of range(200)) run.feed('right', [number], { id: number });
    await run.settle();
    t.strictSame(
      run.executed('fast'),
      range(200).map((number) => [number]),
    );
    t.strictSame(
      run.executed('other'),
      range(200).map((number) => [number]),
    );
    t.strictSame(run.acked('right'), range(200), 'and acks do not wait behind data');
    t.equal(run.executed('relay').length, relayed, 'which does not help the relay');
    run.feed('command', [gate]);
    await run.settle();
    t.strictSame(run.executed('slow'), values(200), 'nothing is lost, and order holds');
    t.strictSame(run.acked('left'), range(200));
  },
);

onEachTransport(
  'C120 a call under way whose output waits for credit still sends to other tasks',
  topologyUrl('pressure'),
  { fed: ['left', 'right', 'waits', 'command'], limits: tiny },
  async (t, run, transport) => {
    const gate = `C120 call ${transport.name}`;
    run.feed('waits', [[gate, 40]], { id: 1 });
    await run.settle();
    t.equal(run.executed('waiting-slow').length, 1);
    run.feed('command', [`${gate} between`]);
    await settleUntil(run, () => run.executed('waiting-fast').length === 1);
    t.strictSame(run.executed('waiting-fast'), [[gate]], 'in the middle of the call');
    for (const next of ['end', 'slow']) run.feed('command', [`${gate} ${next}`]);
    await settleUntil(run, () => run.acked('waits').length === 1);
    t.strictSame(run.acked('waits'), [1]);
    t.strictSame(
      run.executed('waiting-slow'),
      range(41).map((number) => [[`${gate} slow`, number]]),
    );
  },
);
