// What somebody writes into the store by hand where only masters write: what runs goes on or starts anew, and the
// master puts right what it finds. On virtual time.

import t from 'tap';
import { Cluster, settle, topology } from './cluster.js';
import type { LiveTopology } from '../../coordination/topologies.js';
import { text } from './store/contract.js';

const path = '/assignments/words';

async function running() {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 4);
  await host.topologies.submit(topology('words'));
  await settle();
  const session = await cluster.store.connect();
  const live = async (): Promise<LiveTopology> => (await host.topologies.get('words')) as LiveTopology;
  return { cluster, host, runner, session, live };
}

t.test('nonsense in place of an assignment: what runs never notices, and the master writes it anew', async (t) => {
  const { host, runner, session, live, cluster } = await running();
  const before = (await live()).assignment;
  await session.set(path, text('nonsense'), null);
  await settle();
  t.strictSame((await live()).assignment, before, 'as it was');
  t.strictSame(runner.running, ['words']);
  t.equal(runner.runs.length, 1, 'the same run');
  t.ok(cluster.logged.some((line) => line.startsWith('error') && line.includes(path)));
  await host.close();
});

t.test('an assignment that is deleted: it starts anew, in a revision of its own', async (t) => {
  const { host, runner, session, live } = await running();
  await session.delete(path, null);
  await settle();
  t.match((await live()).assignment, { revision: 2, places: [{ host: 'a' }] });
  t.strictSame(runner.running, ['words']);
  t.equal(runner.runs.length, 2);
  await host.close();
});

t.test('an assignment to a host that never was: it is placed where there is one', async (t) => {
  const { cluster, host, runner, session, live } = await running();
  const { assignment } = await live();
  const nowhere = { ...assignment, places: [{ host: 'z', boot: 'z1', slot: 0 }] };
  await session.set(path, text(JSON.stringify(nowhere)), null);
  await cluster.advance(5000);
  t.match((await live()).assignment, { revision: 2, places: [{ host: 'a' }] });
  t.strictSame(runner.running, ['words']);
  await host.close();
});

t.test("records that stand where they do not belong are nobody's", async (t) => {
  const { cluster, host, runner, session } = await running();
  const wish = (await session.get('/topologies/words')).data;
  await session.create('/topologies/other', wish);
  const report = (await session.get(`/reports/a~${host.boot}`)).data;
  await session.create('/reports/b~b1', report);
  await settle();
  t.strictSame(runner.running, ['words'], 'it runs once');
  t.equal(cluster.logged.filter((line) => /it belongs to/.test(line)).length, 2);
  await session.set('/topologies/other', text('{'), null);
  await settle();
  t.strictSame(runner.running, ['words']);
  await host.close();
});
