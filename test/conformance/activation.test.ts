// A topology is deactivated and activated again while it runs, and killed with a wait: C40 and C118 on one host.

import type { TestRun } from 'millrace/testing';
import { linked, onEachTransport, topologyUrl, transports, type Test, type Transport } from './transports.js';

const switching = topologyUrl('switching');

/** With a gate of its own, because gates are those of a thread. */
function onEach(
  title: string,
  body: (t: Test, run: TestRun) => Promise<void>,
  on: readonly Transport[] = transports,
): void {
  for (const transport of on) {
    const gate = `${title} ${transport.name}`;
    onEachTransport(title, switching, { settings: { 'late.gate': gate, 'opener.gate': gate } }, body, [transport]);
  }
}

const lateOf = (run: TestRun): number => run.emitted('late').length;

onEach('C40 deactivated: spouts are asked no more, trees in flight finish, bolts go on', async (t, run) => {
  await run.advance(200);
  const before = run.emitted('numbers').length;
  t.ok(before >= 10, `${before} numbers are out`);
  t.strictSame(run.acked('numbers'), [], 'and held');
  await run.deactivate();
  t.equal(run.status().state, 'inactive');
  t.strictSame(run.life('numbers'), ['constructor', 'open', 'activate', 'deactivate']);
  await run.deactivate();
  await run.advance('3s');
  t.equal(run.emitted('numbers').length, before, 'nothing new came');
  t.equal(run.acked('numbers').length, before, 'what was in flight is done');
  t.equal(run.status().openTrees, 0);
  t.ok(run.life('holder').filter((call) => call === 'tick').length >= 3, 'bolts tick on');
  t.strictSame(
    run.executed('holder').filter(([number]) => (number as number) < 0),
    [],
    'a call under way waits',
  );
  await run.activate();
  await run.activate();
  t.equal(run.status().state, 'active');
  await run.advance('2s');
  t.ok(run.emitted('numbers').length > before, 'it goes on');
  t.equal(lateOf(run), 2, 'and what waited goes out');
  t.strictSame(run.acked('late'), ['late']);
  t.equal(run.status().components['holder']?.executed, run.emitted('numbers').length + 2);
  t.strictSame(run.life('numbers').slice(2), ['activate', 'deactivate', 'activate']);
  await run.close();
  t.strictSame(run.life('numbers').slice(4), ['activate', 'deactivate', 'close']);
});

onEach('C40 one that is inactive is killed: its spouts are not deactivated twice', async (t, run) => {
  await run.deactivate();
  t.equal((await run.close()).status, 'killed');
  t.strictSame(run.life('numbers'), ['constructor', 'open', 'activate', 'deactivate', 'close']);
  await run.activate();
  await run.deactivate();
  t.equal(run.status().state, 'killed');
});

onEach('C118 kill with a wait: spouts stop at once, bolts go on until nothing is in flight', async (t, run) => {
  await run.advance(200);
  const before = run.emitted('numbers').length;
  const killed = run.kill({ waitMs: 10_000 });
  t.equal(run.status().state, 'draining');
  await run.activate();
  await run.deactivate();
  t.equal(run.status().state, 'draining', 'neither changes anything now');
  await run.advance('9s');
  await killed;
  t.strictSame(await run.completed, { status: 'killed', error: null });
  t.equal(run.emitted('numbers').length, before);
  t.equal(run.acked('numbers').length, before, 'what was in flight was handled');
  const { emitted, misused, errors } = run.status().components['late']!;
  t.strictSame([emitted, misused, errors], [0, 0, 0], 'what a call under way still emits is dropped, without an error');
  t.strictSame(run.life('numbers'), ['constructor', 'open', 'activate', 'deactivate', 'close']);
  await run.kill({ waitMs: 5 });
  t.equal(run.status().state, 'killed', 'killed again, nothing changes');
});

onEachTransport(
  'C118 C47 kill with a wait while a bolt holds a tuple: at 9 s it is there, at 11 s it is gone',
  topologyUrl('holding'),
  { fed: ['source', 'command'], settings: { messageTimeout: null } },
  async (t, run) => {
    run.feed('source', ['held'], { id: 'held' });
    await run.settle();
    const killed = run.kill({ waitMs: 10_000 });
    await run.advance('9s');
    t.equal(run.status().state, 'draining');
    t.equal(run.status().openTrees, 1);
    const longer = run.kill({ waitMs: 60_000 });
    await run.advance('2s');
    await Promise.all([killed, longer]);
    t.strictSame(await run.completed, { status: 'killed', error: null });
    t.strictSame(run.life('holder').slice(-2), ['deactivate', 'close'], 'and closed');
  },
);

onEachTransport(
  'C118 a second kill with a shorter wait shortens it',
  topologyUrl('holding'),
  { fed: ['source', 'command'], settings: { messageTimeout: null } },
  async (t, run) => {
    run.feed('source', ['held'], { id: 'held' });
    await run.settle();
    const first = run.kill({ waitMs: 60_000 });
    await run.advance('1s');
    const second = run.kill({ waitMs: 1000 });
    await run.advance(900);
    t.equal(run.status().state, 'draining');
    await run.advance(200);
    await Promise.all([first, second]);
    t.equal(run.status().state, 'killed');
  },
);

onEach(
  'C40 a worker of a deactivated topology is replaced, and stays so',
  async (t, run) => {
    await run.advance(100);
    await run.deactivate();
    await run.advance('2s');
    for (const worker of [0, 1]) {
      await run.crash(worker);
      await run.settle();
    }
    t.equal(run.status().workerDeaths, 2);
    t.equal(run.status().state, 'inactive');
    const before = run.emitted('numbers').length;
    const again = run.of('life', 'numbers').filter((event) => event.incarnation === 1);
    t.strictSame(
      again.map(({ call }) => call),
      ['open'],
      'the spout is opened, and not activated',
    );
    t.ok(
      run.of('life', 'holder').some((event) => event.incarnation === 1 && event.call === 'activate'),
      'its bolts are',
    );
    await run.advance('2s');
    t.equal(run.emitted('numbers').length, before);
    await run.activate();
    await run.advance('2s');
    t.ok(run.emitted('numbers').length > before);
    t.ok(run.acked('numbers').length > 0);
  },
  linked,
);
