// The life of components, calls of asynchronous ones, and the end of finite topologies: C41, C44, C116, C117, C122.

import { setEnvironmentData } from 'node:worker_threads';
import { TestRun, type LifeCall } from 'millrace/testing';
import t from 'tap';
import { onEachTransport, range, settleUntil, topologyUrl, transports, spread } from './transports.js';

onEachTransport(
  'C41 ticks come at their times, and are never acked',
  topologyUrl('ticking'),
  { fed: ['source'] },
  async (t, run) => {
    await run.advance('29s');
    t.strictSame(run.executed('sink'), []);
    await run.advance('1s');
    t.strictSame(run.executed('sink'), [[30_000]]);
    await run.advance('60s');
    t.strictSame(run.executed('sink'), [[30_000], [60_000], [90_000]]);
    await run.advance('29s');
    t.equal(run.executed('sink').length, 3);
    const { components } = run.status();
    t.equal(components['ticking']?.executed, 0, 'a tick is no tuple');
    t.equal(components['ticking']?.acked, 0);
    t.strictSame(
      run.life('ticking').filter((call) => call === 'tick'),
      ['tick', 'tick', 'tick'],
    );
  },
);

for (const transport of transports) {
  t.test(`C44 the calls of a component's life, in order (${transport.name})`, async (t) => {
    const { workers, threads } = transport;
    const prepared = new SharedArrayBuffer(4);
    setEnvironmentData('living.prepared', prepared);
    const run = await TestRun.start(topologyUrl('living'), { workers, threads, settings: spread });
    t.equal((await run.completed).status, 'completed');
    const lives = (component: string): LifeCall[][] => {
      const tasks = new Set(run.of('emitted', component).map((event) => event.task));
      for (const event of run.of('executed', component)) tasks.add(event.task);
      return [...tasks].map((task) =>
        run
          .of('life', component)
          .filter((event) => event.task === task)
          .map((event) => event.call),
      );
    };
    t.strictSame(lives('living'), new Array(2).fill(['open', 'activate', 'deactivate', 'close']));
    t.strictSame(lives('patient'), new Array(2).fill(['prepare', 'activate', 'finish', 'deactivate', 'close']));
    for (const component of ['living', 'patient']) {
      t.equal(run.life(component).filter((call) => call === 'constructor').length, 2);
    }
    t.strictSame(
      run.emitted('living').map((values) => values[1]),
      new Array(6).fill(4),
      'all four tasks were prepared before the first emit',
    );
  });
}

const gated = topologyUrl('gated');

for (const [bolt, most] of [
  ['one', 1],
  ['three', 3],
  ['ordered', 3],
] as const) {
  const title = `C116 ${bolt}: never more than ${most} call(s) under way`;
  onEachTransport(title, gated, { fed: [`${bolt}-source`, 'command'] }, async (t, run, transport) => {
    const gate = (number: number): string => `${title} ${transport.name} ${number}`;
    for (const number of range(9)) run.feed(`${bolt}-source`, [gate(number)], { id: number });
    await run.settle();
    t.equal(run.executed(bolt).length, most, 'and as many as may be');
    // The newest of those under way ends first.
    const order = most === 1 ? range(9) : [2, 1, 0, 5, 4, 3, 8, 7, 6];
    for (const number of order) {
      run.feed('command', [gate(number)]);
      await run.settle();
    }
    t.same(new Set(run.acked(`${bolt}-source`)), new Set(range(9)));
    const underWay = run.executed(`${bolt}-sink`).map((values) => values[2] as number);
    t.equal(Math.max(...underWay), most);
    const after = run.executed(`${bolt}-sink`).filter((values) => values[1] === 'after');
    const expected = bolt === 'three' ? order : range(9);
    t.strictSame(
      after.map((values) => values[0]),
      expected.map(gate),
      'the order of the output',
    );
    t.strictSame(
      run.acked(`${bolt}-source`),
      bolt === 'three' ? order : range(9),
      'a tuple is acked when its output has left',
    );
    const all = run.executed('ordered-sink').map((values) => `${String(values[0])} ${String(values[1])}`);
    if (bolt === 'ordered')
      t.strictSame(
        all,
        range(9).flatMap((each) => [`${gate(each)} before`, `${gate(each)} after`]),
      );
  });
}

for (const tracked of [true, false]) {
  const title = `C117 a finite topology flushes every layer and completes, ${tracked ? 'tracked' : 'not tracked'}`;
  onEachTransport(title, topologyUrl('finishing'), { settings: { 'numbers.tracked': tracked } }, async (t, run) => {
    const outcome = await run.completed;
    t.strictSame(outcome, { status: 'completed', error: null });
    t.strictSame(run.printed, ['total 10100', 'closed'], 'to the last line');
    const { components, state, openTrees, errors } = run.status();
    t.equal(state, 'completed', 'and the status stays');
    t.equal(components['numbers']?.emitted, 200);
    t.equal(components['numbers']?.acked, tracked ? 200 : 0);
    t.equal(components['sums']?.executed, 200);
    t.equal(components['sums']?.emitted, 4);
    t.equal(openTrees, 0);
    t.strictSame(errors, []);
    for (const component of ['numbers', 'sums', 'slow', 'merged', 'total']) {
      const tasks = new Set(run.of('life', component).map((event) => event.task)).size - 1;
      const calls = run.life(component);
      t.equal(calls.filter((call) => call === 'close').length, tasks, `${component} is closed`);
    }
  });

  onEachTransport(
    `${title}, with hardly any room`,
    topologyUrl('finishing'),
    {
      settings: { 'numbers.tracked': tracked },
      limits: {
        batchTuplesMax: 1,
        mailboxTuplesMax: 1,
        channelReserveTuples: 1,
        linkSharedTuples: 1,
        directDepthMax: 1,
      },
    },
    async (t, run) => {
      t.equal((await run.completed).status, 'completed');
      t.strictSame(run.printed, ['total 10100', 'closed']);
    },
  );
}

onEachTransport(
  'C122 nothing runs while nothing is to be done',
  topologyUrl('holding'),
  { fed: ['source', 'command'] },
  async (t, run) => {
    await run.settle();
    const before = run.turns();
    for (let look = 0; look < 20; look++) await run.settle();
    t.strictSame(run.turns(), before, 'not one turn');
    await run.advance('1h');
    const after = run.turns();
    after.forEach((turns, worker) =>
      t.ok(turns - before[worker]! <= 2, 'an hour is one step: there is no timer on the way'),
    );
    run.feed('source', ['x'], { id: 'x' });
    await run.settle();
    t.equal(run.executed('holder').length, 3, 'and the first tuple is handled without any time going by');
  },
);

onEachTransport(
  'C122 a spout that has nothing is asked ever less often',
  topologyUrl('polling'),
  {},
  async (t, run) => {
    const before = Math.max(...run.turns());
    await run.advance(9_990);
    const turns = Math.max(...run.turns()) - before;
    t.ok(turns <= 2 * (10_000 / 16 + 10), `${turns} turns in 10 s`);
    t.strictSame(run.executed('sink'), []);
    await run.advance(26);
    t.not(run.executed('sink').length, 0, 'and is asked again within the longest rest');
    const [[asked] = []] = run.executed('sink') as [[number]];
    t.ok((asked ?? 0) <= 10_000 / 16 + 10, 'about once in 16 ms');
  },
);

t.test('C117 a topology with nothing to do completes', async (t) => {
  for (const transport of transports) {
    const { workers, threads } = transport;
    const run = await TestRun.start(topologyUrl('counting'), { workers, threads, settings: spread });
    await settleUntil(run, () => run.status().state === 'completed');
    t.equal((await run.completed).status, 'completed', transport.name);
  }
});
