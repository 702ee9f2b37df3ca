// One version of a topology replaces another, as a wish: step by step, each when the one before is told, and back to
// what ran when something goes wrong. On virtual time.

import t from 'tap';
import { Cluster, described, settle, topology, type FakeRun, type Member } from './cluster.js';
import { REPLACE_STEP_MAX_MS } from '../../engine/limits.js';
import { failure, toWire } from '../../engine/errors.js';
import type { LiveTopology, NewTopology } from '../../coordination/topologies.js';

const never = new AbortController().signal;

function version(text: string, more: Partial<NewTopology> = {}): NewTopology {
  const description = { ...described('lines', 2), version: text };
  return topology('lines', { description, workers: 2, ...more });
}

/** A topology that runs on a host, and the runs of both versions when the new one is placed. */
async function replacing(slots = 4, more: Partial<NewTopology> = {}) {
  const cluster = await Cluster.open();
  const member = await cluster.host('a', slots);
  const { host, runner } = member;
  const { id: oldId } = await host.topologies.submit(version('one'));
  await settle();
  const old = runner.run('lines');
  const id = await host.replacements.submit(version('two', more));
  const done = host.replacements.done('lines', id, never).then(
    () => 'done',
    (error: { readonly code?: string; readonly message: string }) => error.code ?? error.message,
  );
  await settle();
  return { cluster, member, host, runner, old, oldId, id, done, next: runner.runs[1]! };
}

async function live({ host }: Member): Promise<LiveTopology> {
  return (await host.topologies.get('lines')) as LiveTopology;
}

/** Both go the way on which nothing goes wrong, up to that step. */
async function upTo(step: 'aside' | 'open' | 'opened', old: FakeRun, next: FakeRun): Promise<void> {
  next.listener.stage('standby');
  await settle();
  if (step === 'aside') return;
  old.listener.stage('aside');
  await settle();
  if (step === 'open') return;
  next.listener.stage('open');
  await settle();
}

t.test('step by step the new version takes the place of the one before', async (t) => {
  const { member, host, runner, old, oldId, id, done, next, cluster } = await replacing();
  t.match(next.order, { name: 'lines', id, stateId: oldId, standby: true, description: { version: 'two' } });
  t.ok(next.order.firstIncarnation > old.order.firstIncarnation, 'sinks go on with what was written');
  t.strictSame(next.order.checkpoints, [], 'progress is not its own yet');
  t.equal(host.slots.used, 4, 'both have their slots');
  t.strictSame([old.told, next.told], [[], []], 'nothing happens to what runs until the new one is ready');
  const lines = { component: 'lines', partition: '0' };
  old.listener.checkpoint({ ...lines, progress: Uint8Array.of(1) });
  next.listener.stage('standby');
  await settle();
  t.strictSame(old.told, ['stand aside']);
  old.listener.checkpoint({ ...lines, progress: Uint8Array.of(2) });
  old.listener.stage('aside');
  await settle();
  t.strictSame(next.told, ['open 0=2'], 'with the last progress, though no second has passed');
  old.listener.checkpoint({ ...lines, progress: Uint8Array.of(3) });
  next.listener.checkpoint({ ...lines, progress: Uint8Array.of(4) });
  next.listener.stage('open');
  await settle();
  t.match(old.told, ['stand aside', /^kill [1-9]/]);
  await settle();
  t.equal(await done, 'done');
  t.match(await live(member), { id, state: 'active', wish: { id, stateId: oldId }, assignment: { id } });
  t.notOk((await live(member)).assignment!.next, 'nothing is left of the change');
  t.match(await host.topologies.get('lines', oldId), {
    state: 'killed',
    ended: { reason: `replaced by version ${id}`, final: { counts: 7 } },
  });
  t.strictSame(runner.running, ['lines']);
  t.equal(host.slots.used, 2);
  await cluster.advance(5000);
  await host.close();
  const { host: again, runner: later } = await cluster.host('a', 4);
  const resumed = later.run('lines');
  t.match(resumed.order, { id, standby: false, description: { version: 'two' } });
  t.strictSame(
    resumed.order.checkpoints.map(({ progress }) => [...progress]),
    [[4]],
    'the one before wrote nothing over it',
  );
  await again.close();
});

t.test('without room for both it is refused, with the reason, and what runs never notices', async (t) => {
  const { member, host, runner, old, done, next, id } = await replacing(3);
  t.equal(await done, 'MILLRACE_REPLACE_ROOM');
  t.equal(next, undefined);
  t.match(await live(member), { state: 'active', wish: { refused: { id, error: { code: 'MILLRACE_REPLACE_ROOM' } } } });
  t.match((await live(member)).wish.refused!.error.message, /not enough free slots for its 2 workers/);
  t.strictSame(old.told, []);
  const smaller = await host.replacements.submit(version('three', { workers: 1 }));
  await settle();
  t.match((await live(member)).wish, { next: { id: smaller } });
  t.equal(runner.runs.length, 2);
  await host.close();
});

t.test('a new version that does not start leaves the one before as it was', async (t) => {
  for (const step of ['start', 'aside', 'open'] as const) {
    const { cluster, member, host, runner, old, done, next, id, oldId } = await replacing();
    if (step !== 'start') await upTo(step, old, next);
    next.end({ status: 'failed', error: toWire(failure('MILLRACE_RUN_KILLED', { topology: 'x' })), final: null });
    await settle();
    t.equal(await done, 'MILLRACE_REPLACE_FAILED', step);
    t.match(await live(member), { id: oldId, state: 'active', wish: { refused: { id } } });
    t.match((await live(member)).wish.refused!.error.message, /does not start: .*"x"/, 'its own reason');
    t.notOk((await live(member)).assignment!.aside);
    t.strictSame(old.told, step === 'start' ? [] : ['stand aside', 'come back'], step);
    t.strictSame(runner.running, ['lines']);
    t.equal(host.slots.used, 2);
    if (step === 'start') {
      await host.close();
      continue;
    }
    old.listener.checkpoint({ component: 'lines', partition: '0', progress: Uint8Array.of(9) });
    await host.close();
    const again = await cluster.host('a', 4);
    t.strictSame([...again.runner.run('lines').order.checkpoints[0]!.progress], [9], 'its progress is its own again');
    await again.host.close();
  }
});

t.test('what takes too long is refused, and nothing waits for ever', async (t) => {
  for (const [step, says] of [
    ['start', /making the new version ready/],
    ['aside', /letting go/],
    ['open', /opening the spouts/],
  ] as const) {
    const { cluster, member, host, old, done, next } = await replacing();
    if (step !== 'start') await upTo(step, old, next);
    await cluster.advance(REPLACE_STEP_MAX_MS - 1000);
    t.ok((await live(member)).wish.next, `${step}: not yet`);
    await cluster.advance(1000);
    t.equal(await done, 'MILLRACE_REPLACE_LATE');
    t.match((await live(member)).wish.refused!.error.message, says);
    t.ok(next.over, 'it is ended');
    await host.close();
  }
});

t.test('users change their minds meanwhile', async (t) => {
  const first = await replacing();
  await t.rejects(first.host.replacements.submit(version('three')), { code: 'MILLRACE_REPLACE_BUSY' });
  await t.rejects(first.host.topologies.rebalance('lines', { workers: 1 }), { code: 'MILLRACE_REPLACE_BUSY' });
  await first.host.topologies.setWanted('lines', 'inactive');
  await settle();
  t.strictSame([first.old.told, first.next.told], [['deactivate'], ['deactivate']]);
  await upTo('opened', first.old, first.next);
  t.equal(await first.done, 'done');
  t.match(await live(first.member), { id: first.id, state: 'inactive' });
  await first.host.topologies.setWanted('lines', 'active');
  await settle();
  t.equal(first.next.told.at(-1), 'activate');
  await first.host.close();

  for (const step of ['aside', 'open', 'opened'] as const) {
    const { host, runner, old, next, done } = await replacing();
    old.holds = true;
    await upTo(step, old, next);
    await host.topologies.kill('lines', { waitMs: 0, reason: 'enough' });
    await settle();
    if (step === 'opened') old.end({ status: 'killed', error: null, final: null });
    await settle();
    t.strictSame(runner.running, [], `killed when ${step}: both end`);
    t.match(await host.topologies.get('lines'), { kind: 'ended', state: 'killed', ended: { reason: 'enough' } });
    t.equal(await done, step === 'opened' ? 'done' : 'MILLRACE_REPLACE_ENDED');
    t.strictSame(await host.topologies.artifactsInUse(), new Set());
    await host.close();
  }
});

t.test('what is not there, ends, or does not run', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 4);
  const { replacements, topologies } = host;
  await t.rejects(replacements.submit(version('one')), { code: 'MILLRACE_REPLACE_UNKNOWN' });
  await topologies.submit(version('one', { active: false }));
  await settle();
  const asleep = await replacements.submit(version('two'));
  await settle();
  await replacements.done('lines', asleep, never);
  t.match(await topologies.get('lines'), { id: asleep, state: 'inactive' }, 'nothing runs: it takes its place at once');
  await topologies.setWanted('lines', 'active');
  await settle();
  t.match(runner.run('lines').order, { id: asleep, standby: false });
  const run = runner.run('lines');
  const late = await replacements.submit(version('three'));
  const done = replacements.done('lines', late, never);
  await settle();
  run.end({ status: 'completed', error: null, final: null });
  await t.rejects(done, { code: 'MILLRACE_REPLACE_ENDED', message: /completed/ });
  await settle();
  t.strictSame(runner.running, [], 'what was to replace it goes with it');
  await topologies.submit(version('four'));
  await settle();
  runner.run('lines').holds = true;
  await topologies.kill('lines', { waitMs: 1000, reason: null });
  await t.rejects(replacements.submit(version('five')), { code: 'MILLRACE_REPLACE_STATE' });
  await cluster.advance(1000);
  await host.close();
});

t.test('hosts are lost meanwhile', async (t) => {
  const door = (name: string) => ({ door: () => `${name}:7000` });
  const start = async () => {
    const cluster = await Cluster.open();
    const a = await cluster.host('a', 2, cluster.store, door('a'));
    await cluster.advance(3000);
    const { id: oldId } = await a.host.topologies.submit(version('one'));
    await settle();
    const b = await cluster.host('b', 2, cluster.store, door('b'));
    await cluster.advance(3000);
    const id = await a.host.replacements.submit(version('two'));
    await settle();
    return { cluster, a, b, old: a.runner.run('lines'), next: b.runner.run('lines'), id, oldId };
  };
  const first = await start();
  await upTo('open', first.old, first.next);
  await first.b.host.close();
  await first.cluster.advance(3000);
  t.match(await live(first.a), {
    id: first.oldId,
    wish: { refused: { error: { code: 'MILLRACE_REPLACE_HOST_LOST' } } },
  });
  t.strictSame(first.old.told, ['stand aside', 'come back']);
  await first.a.host.close();

  const second = await start();
  await upTo('opened', second.old, second.next);
  await second.a.host.close();
  await second.cluster.advance(3000);
  t.match(await live(second.b), { id: second.id, state: 'active' }, 'it goes on alone');
  t.notOk(second.next.over);
  await second.b.host.close();

  const third = await start();
  await upTo('aside', third.old, third.next);
  await third.a.host.close();
  await third.cluster.advance(3000);
  t.match(third.next.told, [/^open/], 'nobody is left who could let go');
  t.match(await live(third.b), { id: third.oldId }, 'it has to show that it starts');
  third.next.listener.stage('open');
  await settle();
  t.match(await live(third.b), { id: third.id, state: 'active' });
  await third.b.host.close();

  const fourth = await start();
  await upTo('aside', fourth.old, fourth.next);
  await fourth.a.host.close();
  await fourth.cluster.advance(3000);
  fourth.next.end({ status: 'failed', error: null, final: null });
  await settle();
  t.match(await live(fourth.b), { id: fourth.oldId, state: 'active' }, 'the version before gets its slots');
  t.match(fourth.b.runner.run('lines').order, { id: fourth.oldId, standby: false });
  await fourth.b.host.close();

  const fifth = await start();
  fifth.old.holds = true;
  await upTo('opened', fifth.old, fifth.next);
  t.match(await live(fifth.a), { id: fifth.oldId }, 'the bolts of the version before still have something to do');
  await fifth.b.host.close();
  await fifth.cluster.advance(3000);
  t.match(await live(fifth.a), { id: fifth.id, state: 'active' }, 'nobody waits for them when a host is lost');
  t.match(fifth.a.runner.run('lines').order, { id: fifth.id, standby: false });
  await fifth.a.host.close();
});

t.test('what is told while the version before has its last words', async (t) => {
  const { member, host, old, next, id } = await replacing();
  old.holds = true;
  await upTo('opened', old, next);
  await host.topologies.setWanted('lines', 'inactive');
  await settle();
  t.equal(next.told.at(-1), 'deactivate', 'at once, though both are there');
  await host.topologies.kill('lines', { waitMs: 0, reason: 'enough' });
  await settle();
  t.ok(old.over, 'nobody waits for it then');
  await settle();
  t.match(await host.topologies.get('lines'), { kind: 'ended', id, ended: { reason: 'enough' } });
  t.ok(next.over);
  t.equal(member.runner.running.length, 0);
  await host.close();
});

t.test('one that is refused while it opens is gone before the version before comes back', async (t) => {
  const { cluster, member, host, old, next, done, oldId } = await replacing();
  await upTo('open', old, next);
  next.holds = true;
  next.kill = () => undefined;
  await cluster.advance(REPLACE_STEP_MAX_MS);
  t.equal(await done, 'MILLRACE_REPLACE_LATE');
  t.strictSame(old.told, ['stand aside'], 'the other one may have its port open');
  t.equal(host.slots.used, 4);
  await t.resolves(host.replacements.submit(version('three')), 'the next one waits for that');
  await settle();
  t.equal(member.runner.runs.length, 2);
  next.end({ status: 'killed', error: null, final: null });
  await settle();
  t.strictSame(old.told, ['stand aside', 'come back']);
  t.match(await live(member), { id: oldId, wish: { next: {} } });
  t.equal(member.runner.runs.length, 3, 'and then it gets its place');
  await host.close();
});

t.test('one that never ends is not waited for without a bound, and a kill does not wait for it either', async (t) => {
  const { cluster, member, host, old, next, done, oldId } = await replacing();
  await upTo('open', old, next);
  next.kill = () => undefined;
  await cluster.advance(2 * REPLACE_STEP_MAX_MS);
  t.equal(await done, 'MILLRACE_REPLACE_LATE');
  t.strictSame(old.told, ['stand aside', 'come back']);
  t.match(await live(member), { id: oldId });
  t.notOk((await live(member)).assignment!.next);
  await host.topologies.kill('lines', { waitMs: 0, reason: null });
  await settle();
  t.ok(old.over);
  next.end({ status: 'killed', error: null, final: null });
  await host.close();
});

t.test('one that comes right after a refusal waits until the version before is back', async (t) => {
  const { host, runner, old, next, done, id } = await replacing();
  await upTo('open', old, next);
  next.end({ status: 'failed', error: null, final: null });
  await settle();
  const soon = await host.replacements.submit(version('three'));
  await settle();
  t.equal(await done, 'MILLRACE_REPLACE_FAILED', 'who asked first still hears why');
  t.match(await host.topologies.get('lines'), { wish: { refused: { id }, next: { id: soon } } });
  t.strictSame(old.told, ['stand aside', 'come back']);
  old.listener.stage(null);
  await settle();
  const third = runner.runs[2]!;
  t.match(third.order, { id: soon, standby: true });
  third.listener.stage('standby');
  await settle();
  t.strictSame(third.told, [], 'what was said of the first time does not count');
  t.strictSame(old.told, ['stand aside', 'come back', 'stand aside']);
  old.listener.stage('aside');
  await settle();
  t.match(third.told, [/^open/]);
  await host.close();
});

t.test('progress that was not written yet is not lost on the way back', async (t) => {
  const { cluster, host, old, next } = await replacing();
  const lines = { component: 'lines', partition: '0' };
  await upTo('aside', old, next);
  old.listener.checkpoint({ ...lines, progress: Uint8Array.of(5) });
  next.end({ status: 'failed', error: null, final: null });
  await settle();
  t.strictSame(old.told, ['stand aside', 'come back']);
  await host.close();
  const { host: again, runner } = await cluster.host('a', 4);
  t.strictSame(
    runner.run('lines').order.checkpoints.map(({ progress }) => [...progress]),
    [[5]],
  );
  await again.close();
});

t.test('while hosts speak different protocols nothing is replaced', async (t) => {
  const cluster = await Cluster.open();
  const door = (name: string) => ({ door: () => `${name}:7000` });
  const { host } = await cluster.host('a', 4, cluster.store, { ...door('a'), protocol: 3 });
  await cluster.host('b', 4, cluster.store, { ...door('b'), protocol: 2 });
  await host.topologies.submit(version('one'));
  await t.rejects(host.replacements.submit(version('two')), {
    code: 'MILLRACE_REPLACE_PROTOCOLS',
    message: /a 3, b 2/,
  });
  await host.close();
});

t.test('a wish that somebody took back by hand drops what was to replace it', async (t) => {
  const { cluster, member, host, old, next } = await replacing();
  const { next: _, ...plain } = (await live(member)).wish;
  const session = await cluster.store.connect();
  await session.set('/topologies/lines', new TextEncoder().encode(JSON.stringify(plain)), null);
  await settle();
  t.ok(next.over, 'somebody took the wish back by hand: it is dropped');
  t.strictSame(old.told, []);
  await host.close();
});

t.test('the code of both versions is kept as long as either may run', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 4);
  const inUse = async (): Promise<readonly string[]> => [...(await host.topologies.artifactsInUse())].sort();
  const of = (text: string): NewTopology => version(text, { artifacts: [text] });
  await host.topologies.submit(of('one'));
  await settle();
  await host.replacements.submit(of('bad'));
  await settle();
  t.strictSame(await inUse(), ['bad', 'one']);
  runner.runs[1]!.end({ status: 'failed', error: null, final: null });
  await settle();
  t.strictSame(await inUse(), ['one'], 'of one that was refused it is not');
  const { refused } = ((await host.topologies.get('lines')) as LiveTopology).wish;
  t.match(refused!.error, { code: 'MILLRACE_REPLACE_FAILED', message: /it ended before it was open$/ });
  await host.replacements.submit(of('two'));
  await settle();
  t.strictSame(await inUse(), ['one', 'two']);
  await upTo('opened', runner.runs[0]!, runner.runs[2]!);
  await settle();
  t.strictSame(await inUse(), ['two']);
  await host.close();
});
