// A rebalance as a wish: kept in the store, carried out where the topology runs, with more or less slots of its host,
// taken back when it is refused there, and still wished when a host starts again. On virtual time.

import t from 'tap';
import { failure, toWire } from '../../engine/errors.js';
import { RESIZE_RETRY_MS } from '../../engine/limits.js';
import { Cluster, described, settle, topology } from './cluster.js';

const lines = { description: described('lines', 2), workers: 2 };

t.test('a wish for another spread reaches who runs it, in the slots that it has and in more', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 4);
  const { topologies } = host;
  await topologies.submit(topology('lines', lines));
  await settle();
  const { id } = await topologies.get('lines');
  const before = (await topologies.get('lines')) as { readonly assignment: { readonly places: readonly unknown[] } };
  await topologies.rebalance('lines', { workers: 3, parallelism: { lines: 5 } });
  await settle();
  t.strictSame(runner.run('lines').told, ['rebalance 1 3 {"lines":5}']);
  const after = (await topologies.get('lines')) as typeof before;
  t.match(after, {
    state: 'active',
    wish: { workers: 3, tasks: 5, change: 1 },
    assignment: { revision: 1, change: 1 },
  });
  t.strictSame(after.assignment.places.slice(0, 2), before.assignment.places, 'what runs stays where it is');
  t.equal(host.slots.used, 3);
  await topologies.rebalance('lines', { workers: 3 });
  await settle();
  t.equal(runner.run('lines').told.length, 1, 'what is so already is not told');
  await topologies.rebalance('lines', { workers: 1, parallelism: { lines: 2 } }, id);
  await settle();
  t.strictSame(runner.run('lines').told[1], 'rebalance 2 1 {}');
  t.equal(host.slots.used, 1);
  t.strictSame(runner.running, ['lines'], 'it never started anew');
  await host.close();
});

t.test('what makes no sense is refused, and nothing changes', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 2);
  const { topologies } = host;
  await topologies.submit(topology('lines', lines));
  await settle();
  const before = await topologies.get('lines');
  for (const [change, code] of [
    [{ parallelism: { lines: 0 } }, 'MILLRACE_REBALANCE_PARALLELISM'],
    [{ parallelism: { lines: 1.5 } }, 'MILLRACE_REBALANCE_PARALLELISM'],
    [{ parallelism: { nobody: 1 } }, 'MILLRACE_REBALANCE_COMPONENT'],
    [{ workers: 0 }, 'MILLRACE_REBALANCE_WORKERS'],
    [{ parallelism: { lines: 10_001 } }, 'MILLRACE_REBALANCE_PARALLELISM'],
  ] as const) {
    await t.rejects(topologies.rebalance('lines', change), { code });
  }
  await t.rejects(topologies.rebalance('nothing', { workers: 1 }), { code: 'MILLRACE_TOPOLOGY_UNKNOWN' });
  t.same(await topologies.get('lines'), before);
  t.strictSame(runner.run('lines').told, []);
  runner.run('lines').holds = true;
  await topologies.kill('lines', { waitMs: 1000, reason: null });
  await t.rejects(topologies.rebalance('lines', { workers: 1 }), { code: 'MILLRACE_REBALANCE_STATE' });
  await cluster.advance(1000);
  await t.rejects(topologies.rebalance('lines', { workers: 1 }), { code: 'MILLRACE_REBALANCE_STATE' });
  await host.close();
});

t.test('more slots than there are: it goes on as it is until one is free', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 3);
  const { topologies } = host;
  await topologies.submit(topology('lines', lines));
  await topologies.submit(topology('other'));
  await settle();
  await topologies.rebalance('lines', { workers: 3 });
  await settle();
  t.strictSame(runner.run('lines').told, []);
  await topologies.setWanted('lines', 'inactive');
  await settle();
  t.strictSame(runner.run('lines').told, ['deactivate'], 'other wishes do not wait for it');
  await topologies.kill('other', { waitMs: 0, reason: null });
  await settle();
  t.strictSame(runner.run('lines').told, ['deactivate', 'rebalance 1 3 {}']);
  await host.close();
});

t.test('what is refused where it runs is wished no longer', async (t) => {
  const cluster = await Cluster.open();
  const { host, runner } = await cluster.host('a', 4);
  const { topologies } = host;
  await topologies.submit(topology('lines', lines));
  await settle();
  await topologies.rebalance('lines', { parallelism: { lines: 3 } });
  await settle();
  const run = runner.run('lines');
  run.listener.rebalanced({ places: [], workers: 2, parallelism: { lines: 3 }, change: 1 }, null);
  await topologies.rebalance('lines', { workers: 4, parallelism: { lines: 9 } });
  await settle();
  const reason = failure('MILLRACE_WORKER_START', { call: 'prepare', component: 'lines', reason: 'no' });
  run.listener.rebalanced({ places: [], workers: 4, parallelism: { lines: 9 }, change: 2 }, toWire(reason));
  await settle();
  t.match(await topologies.get('lines'), { wish: { workers: 2, tasks: 3, parallelism: { lines: 3 }, change: 3 } });
  t.equal(host.slots.used, 2);
  t.match(cluster.logged.at(-1), /"lines" was not rebalanced/);
  t.strictSame(run.told.at(-1), 'rebalance 3 2 {"lines":3}', 'of what it is: nothing happens');
  await topologies.rebalance('lines', { workers: 3 });
  run.listener.rebalanced({ places: [], workers: 2, parallelism: { lines: 3 }, change: 3 }, toWire(reason));
  await settle();
  t.match(await topologies.get('lines'), { wish: { workers: 3, change: 4 } }, 'a later wish stands');
  await host.close();
});

t.test('one that starts again, or only then, is spread as it is wished', async (t) => {
  const cluster = await Cluster.open();
  const first = await cluster.host('a', 4);
  await first.host.topologies.submit(topology('lines', lines));
  await first.host.topologies.submit(
    topology('rests', { ...lines, description: described('rests', 2), active: false }),
  );
  await settle();
  await first.host.topologies.rebalance('lines', { workers: 3, parallelism: { lines: 4 } });
  await first.host.topologies.rebalance('rests', { workers: 1, parallelism: { lines: 7 } });
  await settle();
  await first.host.close();
  const { host, runner } = await cluster.host('a', 4);
  await settle();
  t.match(runner.run('lines').order, { parallelism: { lines: 4 }, change: 1, revision: 2 });
  t.equal(runner.run('lines').order.places.length, 3);
  await host.topologies.setWanted('rests', 'active');
  await settle();
  t.match(runner.run('rests').order, { parallelism: { lines: 7 }, change: 1, revision: 1 });
  t.strictSame(runner.run('rests').told, []);
  await host.close();
});

t.test('fewer workers than wished because a host went: refused, that is tried again, and the wish stays', async (t) => {
  const cluster = await Cluster.open();
  const door = (name: string) => ({ door: () => `${name}:1` });
  const { host, runner } = await cluster.host('a', 2, cluster.store, door('a'));
  await host.topologies.submit(topology('lines', lines));
  await cluster.advance(3000);
  const b = await cluster.host('b', 1, cluster.store, door('b'));
  await cluster.advance(3000);
  await host.topologies.rebalance('lines', { workers: 3 });
  await settle();
  const { told, listener } = runner.run('lines');
  const order = (workers: number) => ({ workers, places: [], parallelism: {}, change: 1 });
  t.match(told, [/^rebalance 1 3/]);
  listener.rebalanced(order(3), null);
  await b.host.close();
  await cluster.advance(3000);
  t.match(told.slice(1), [/^rebalance 1 2/]);
  const error = toWire(failure('MILLRACE_REBALANCE_BUSY', { topology: 'lines' }));
  listener.rebalanced(order(2), error);
  await cluster.advance(RESIZE_RETRY_MS);
  t.match(told.slice(2), [/^rebalance 1 2/], 'told again');
  t.match(await host.topologies.get('lines'), { wish: { workers: 3, change: 1 } });
  listener.rebalanced(order(2), error);
  await host.topologies.rebalance('lines', { workers: 2 });
  await settle();
  await cluster.advance(RESIZE_RETRY_MS);
  t.equal(told.length, 4, 'what is wished otherwise by then is not tried again');
  await host.close();
});
