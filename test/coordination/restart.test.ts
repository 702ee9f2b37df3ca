// A cluster of one on disk, whose process dies at bad moments: wishes stand, and the next process goes on with them. A
// death is a store that is gone from under everybody, so that nothing can be said any more.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Cluster, settle, topology, type Member } from './cluster.js';
import { text, textOf } from './store/contract.js';

/** Starts a process of the cluster over that directory, with one host of four slots. */
async function started(directory: string): Promise<{ cluster: Cluster; member: Member; die: () => Promise<void> }> {
  const cluster = await Cluster.open(directory);
  const member = await cluster.host('a', 4);
  return { cluster, member, die: () => cluster.store.close() };
}

const dir = (t: Test): string => join(t.testdir(), 'store');

void t.test('what ran runs again, with its progress, in a new epoch and revision', async (t) => {
  const directory = dir(t);
  const one = await started(directory);
  const { topologies } = one.member.host;
  await topologies.submit(topology('words', { workers: 2, settings: { 'lines.path': 'a.txt' } }));
  await topologies.submit(topology('asleep', { active: false }));
  await settle(() => one.member.runner.running.length === 1);
  const run = one.member.runner.run('words');
  t.match(run.order, {
    epoch: 1,
    revision: 1,
    firstIncarnation: 0,
    places: [{ slot: 0 }, { slot: 1 }],
    checkpoints: [],
  });
  run.listener.checkpoint({ component: 'lines', partition: 'a.txt', progress: text('41') });
  run.listener.checkpoint({ component: 'lines', partition: 'a.txt', progress: text('42') });
  await one.cluster.advance(1_000);
  const session = await one.cluster.store.connect();
  const [id = ''] = await session.children('/checkpoints');
  while ((await session.children(`/checkpoints/${id}`)).length === 0) await settle();
  await one.die();

  const two = await started(directory);
  await settle(() => two.member.runner.running.length === 1);
  const again = two.member.runner.run('words');
  t.match(again.order, {
    name: 'words',
    id: run.order.id,
    epoch: 2,
    revision: 2,
    settings: { 'lines.path': 'a.txt' },
    source: { kind: 'document', document: { name: 'words' } },
  });
  t.ok(again.order.firstIncarnation > 1000);
  t.strictSame(
    again.order.checkpoints.map(({ component, partition, progress }) => [component, partition, textOf(progress)]),
    [['lines', 'a.txt', '42']],
  );
  t.equal((await two.member.host.topologies.get('asleep')).state, 'inactive');
  t.not(two.member.host.boot, one.member.host.boot);
  await two.member.host.close();
  await two.cluster.store.close();
});

void t.test('what an older version wrote runs as this one has it, and can be rebalanced', async (t) => {
  const directory = dir(t);
  const one = await started(directory);
  await one.member.host.topologies.submit(topology('words', { workers: 2 }));
  await settle(() => one.member.runner.running.length === 1);
  const { order } = one.member.runner.run('words');
  const { placement, ...older } = order.description.config;
  t.equal(placement, 'together');
  const session = await one.cluster.store.connect();
  const piece = await session.get(`/payloads/${order.id}/0`);
  const payload = JSON.parse(textOf(piece.data)) as { readonly description: object };
  const data = text(JSON.stringify({ ...payload, description: { ...payload.description, config: older } }));
  await session.set(`/payloads/${order.id}/0`, data, piece.stat.version);
  await one.die();

  const two = await started(directory);
  await settle(() => two.member.runner.running.length === 1);
  t.strictSame(two.member.runner.run('words').order.description, order.description);
  await two.member.host.topologies.rebalance('words', { workers: 3 });
  t.match(await two.member.host.topologies.get('words'), { wish: { workers: 3, change: 1 } });
  await two.member.host.close();
  await two.cluster.store.close();
});

void t.test('one that was being killed ends as killed', async (t) => {
  const directory = dir(t);
  const one = await started(directory);
  await one.member.host.topologies.submit(topology('words'));
  await settle(() => one.member.runner.running.length === 1);
  one.member.runner.run('words').holds = true;
  await one.member.host.topologies.kill('words', { waitMs: 60_000, reason: 'enough' });
  await one.die();
  const two = await started(directory);
  const { topologies } = two.member.host;
  while ((await topologies.get('words')).kind === 'live') await settle();
  t.match(await topologies.get('words'), { state: 'killed', ended: { reason: 'enough' } });
  t.equal(two.member.runner.runs.length, 0);
  await topologies.submit(topology('words'));
  await settle(() => two.member.runner.running.length === 1);
  t.strictSame(two.member.runner.run('words').order.checkpoints, []);
  await two.member.host.close();
  await two.cluster.store.close();
});

void t.test('one that was wished and never assigned runs, one that rested does not', async (t) => {
  const directory = dir(t);
  const one = await started(directory);
  await one.member.host.topologies.submit(topology('rests'));
  await settle(() => one.member.runner.running.length === 1);
  await one.member.host.topologies.setWanted('rests', 'inactive');
  await one.member.host.topologies.submit(topology('new'));
  await one.die();
  const two = await started(directory);
  await settle(() => two.member.runner.running.length === 1);
  t.strictSame(two.member.runner.running, ['new']);
  const { topologies } = two.member.host;
  t.equal((await topologies.get('rests')).state, 'inactive');
  await topologies.setWanted('rests', 'active');
  await settle(() => two.member.runner.running.length === 2);
  t.equal(two.member.runner.run('rests').order.name, 'rests');
  await two.member.host.close();
  await two.cluster.store.close();
});

void t.test('a host that closes in order leaves wishes and progress, and goes on where it was', async (t) => {
  const directory = dir(t);
  const one = await started(directory);
  const { topologies } = one.member.host;
  await topologies.submit(topology('words'));
  await settle(() => one.member.runner.running.length === 1);
  const run = one.member.runner.run('words');
  run.listener.checkpoint({ component: 'lines', partition: 'p', progress: text('5') });
  await one.member.host.close();
  await one.member.host.close();
  t.strictSame(run.told, ['kill 0']);
  await t.rejects(topologies.list(), { code: 'MILLRACE_HOST_CLOSED', message: /"a"/ });
  const session = await one.cluster.store.connect();
  for (const place of ['hosts', 'masters', 'reports']) t.strictSame(await session.children(`/${place}`), [], place);
  t.strictSame(await session.children('/topologies'), ['words'], 'it was not killed');
  await one.cluster.store.close();
  const two = await started(directory);
  await settle(() => two.member.runner.running.length === 1);
  t.equal(textOf(two.member.runner.run('words').order.checkpoints[0]!.progress), '5');
  await two.member.host.close();
  await two.cluster.store.close();
});
