// The master and several hosts that share topologies: who comes and goes is gathered, who says goodbye is not, users do
// not wait for either, and drained hosts are emptied. On virtual time.

import t from 'tap';
import type { TopologyDescription } from '../../../engine/model/describe.js';
import { HOSTS_GATHER_MAX_MS, HOSTS_GATHER_MS } from '../../../engine/limits.js';
import { Cluster, described, settle, topology } from '../cluster.js';
import { Stage } from './stage.js';

/** A topology with these settings. */
function withSettings(config: Partial<TopologyDescription['config']>): { readonly description: TopologyDescription } {
  const plain = described('any');
  return { description: { ...plain, config: { ...plain.config, ...config } } };
}

async function stage(...hosts: readonly [string, number][]): Promise<Stage> {
  const made = await Stage.open();
  for (const [host, slots] of hosts) await made.join(host, slots);
  await made.lead();
  await made.advance(HOSTS_GATHER_MS);
  return made;
}

void t.test('a topology is spread, and goes on when hosts go', async (t) => {
  const on = await stage(['a', 2], ['b', 2], ['c', 2]);
  await on.submit('words', 3);
  t.equal(await on.where('words'), '1: a/0 b/0 c/0');
  await on.leave('b');
  t.equal(await on.where('words'), '1: a/0 b/0 c/0', 'it may be back in a moment');
  await on.advance(HOSTS_GATHER_MS);
  t.equal(await on.where('words'), '1: a/0 a/1 c/0');
  await on.leave('a', 'with a word');
  t.equal(await on.where('words'), '2: c/0 c/1', 'a goodbye is acted upon at once');
  t.match(await on.topologies.get('words'), { assignment: { waiting: /^2 of its 3 workers/ } });
  await on.join('d', 1);
  await on.advance(HOSTS_GATHER_MS);
  t.equal(await on.where('words'), '2: c/0 c/1 d/0');
  t.equal((await on.assignment('words')).waiting, undefined);
  await on.close();
});

void t.test('what comes and goes in a row is acted upon once, and not too late', async (t) => {
  const on = await stage(['a', 2], ['b', 2]);
  await on.submit('words', 2);
  await on.leave('b');
  await on.advance(HOSTS_GATHER_MS - 1);
  await on.join('b', 2);
  await on.advance(HOSTS_GATHER_MS);
  t.equal(await on.where('words'), '1: a/0 b/0', 'it was only away for a moment');
  await on.leave('b');
  for (let ms = 0; ms < HOSTS_GATHER_MAX_MS - 200; ms += 200) {
    await on.join(`n${ms}`, 1);
    await on.advance(200);
  }
  t.equal(await on.where('words'), '1: a/0 b/0', 'they still come');
  await on.advance(200);
  t.equal(await on.where('words'), '1: a/0 n0/0');
  await on.close();
});

void t.test('users do not wait for what is gathered', async (t) => {
  const on = await stage(['a', 1], ['b', 2]);
  await on.submit('first', 1);
  await on.leave('a');
  await on.join('c', 4);
  await on.submit('second', 1);
  t.equal(await on.where('second'), '1: b/1', 'on a host that is settled');
  await on.submit('third', 2);
  t.equal(await on.where('third'), 'nowhere', 'and says nothing yet: it may get places in a moment');
  await on.topologies.kill('second', { waitMs: 0, reason: null });
  await on.advance(1);
  t.match(await on.topologies.get('second'), { state: 'draining', assignment: { wanted: 'killed' } });
  await on.advance(HOSTS_GATHER_MS);
  t.equal(await on.where('third'), '1: c/0 c/1');
  await on.submit('large', 5);
  t.match(await on.topologies.get('large'), {
    state: 'waiting',
    assignment: { revision: 0, places: [], waiting: 'not enough free slots for its 5 workers' },
  });
  await on.close();
});

void t.test('a new master gathers first, and then goes on with what it finds', async (t) => {
  const on = await stage(['a', 2], ['b', 2]);
  await on.submit('words', 2);
  await on.depose();
  await on.leave('b');
  await on.submit('more', 1);
  await on.lead();
  t.equal(await on.where('words'), '1: a/0 b/0');
  t.equal(await on.where('more'), '1: a/1', 'a host that was assigned something before is settled');
  await on.advance(HOSTS_GATHER_MS);
  t.equal(await on.where('words'), '1: a/0');
  await on.close();
});

void t.test('hosts without a door are alone, and nothing is gathered', async (t) => {
  const on = await Stage.open();
  await on.lead();
  await on.join('a', 2, { door: '' });
  await on.join('b', 3, { door: '' });
  await on.submit('words', 3);
  t.equal(await on.where('words'), '1: b/0 b/1 b/2');
  await on.leave('b');
  t.equal(await on.where('words'), '2: a/0 a/1');
  await on.close();
});

void t.test('what its lead does not reach is moved, and not back while it says so', async (t) => {
  const on = await stage(['a', 2], ['b', 2], ['c', 1]);
  await on.submit('words', 2);
  t.equal(await on.where('words'), '1: a/0 b/0');
  await on.says('a', 'words', { away: ['b~1'] });
  t.equal(await on.where('words'), '1: a/0 c/0');
  await on.submit('other', 1);
  t.equal(await on.where('other'), '1: b/0', 'others may be there');
  await on.leave('c', 'with a word');
  t.equal(await on.where('words'), '1: a/0 a/1');
  await on.says('b', 'words', { state: 'failed' });
  t.match(await on.topologies.get('words'), { state: 'active' }, 'only its lead says how it ends');
  await on.says('a', 'words', { state: 'completed' });
  t.match(await on.topologies.get('words'), { state: 'completed' });
  await on.close();
});

void t.test('a killed topology ends with its lead', async (t) => {
  const on = await stage(['a', 1], ['b', 1]);
  await on.submit('words', 2);
  await on.topologies.kill('words', { waitMs: 60_000, reason: null });
  await on.leave('b');
  await on.advance(HOSTS_GATHER_MS);
  t.match(await on.topologies.get('words'), { state: 'draining' });
  await on.leave('a');
  t.match(await on.topologies.get('words'), { state: 'draining' }, 'it may be back in a moment');
  await on.advance(HOSTS_GATHER_MS);
  t.match(await on.topologies.get('words'), { state: 'killed' });
  await on.close();
});

void t.test('a drained host is emptied when there is room, and gets workers again afterwards', async (t) => {
  const on = await stage(['a', 2], ['b', 2]);
  await on.submit('words', 2);
  await on.submit('other', 1);
  t.equal(await on.where('other'), '1: a/1');
  await on.drain('a');
  t.equal(await on.where('words'), '2: b/1 b/0');
  t.equal(await on.where('other'), '1: a/1', 'there is no more room');
  t.match((await on.assignment('other')).waiting, /no room for its workers on "a"/);
  await on.submit('third', 1);
  t.match(await on.topologies.get('third'), { state: 'waiting' });
  await on.leave('a', 'with a word');
  await on.join('a', 2, { boot: '2' });
  await on.advance(HOSTS_GATHER_MS);
  t.match(await on.topologies.get('third'), { state: 'waiting' }, 'in its next life, too');
  await on.undrain('a');
  t.equal(await on.where('third'), '1: a/1');
  t.equal(await on.where('other'), '3: a/0');
  await on.close();
});

void t.test('a host that is closed says goodbye: what it ran goes on elsewhere at once', async (t) => {
  const cluster = await Cluster.open();
  const a = await cluster.host('a', 1, cluster.store, { door: () => 'a:1' });
  const b = await cluster.host('b', 4, cluster.store, { door: () => 'b:1' });
  await cluster.advance(HOSTS_GATHER_MS);
  await a.host.topologies.submit(topology('words'));
  await settle();
  t.strictSame(b.runner.running, ['words']);
  await b.host.close();
  await settle();
  t.strictSame(a.runner.running, ['words']);
  await a.host.close();
});

void t.test('a higher priority gets slots first, and takes them from the lowest that run', async (t) => {
  const on = await stage(['a', 2], ['b', 2]);
  const named = async (name: string, workers: number, priority: number): Promise<void> => {
    const { description } = withSettings({ priority });
    await on.submit(name, workers, { description: { ...description, name } });
  };
  await named('low', 1, 0);
  await named('lower', 1, -5);
  await named('lowest', 2, -9);
  t.equal(await on.where('lowest'), '1: a/1 b/1');
  await named('high', 4, 3);
  t.equal(await on.where('high'), '1: a/0 b/0 a/1 b/1');
  t.equal(await on.where('low'), '2:');
  t.match(await on.topologies.get('low'), {
    state: 'waiting',
    assignment: { waiting: 'not enough free slots for its 1 worker' },
  });
  await on.says('a', 'high', { state: 'completed' });
  t.strictSame(
    await Promise.all(['low', 'lower', 'lowest'].map((name) => on.where(name))),
    ['3: a/0', '3: b/0', '3: a/1 b/1'],
    'they go on when it has ended',
  );
  await named('middle', 1, -1);
  t.equal(await on.where('middle'), '1: a/1', 'from the lowest one alone');
  t.equal(await on.where('lowest'), '5: b/1', 'which goes on with what is left');
  await named('huge', 5, 9);
  t.strictSame(await on.where('low'), '3: a/0', 'nothing is taken where that does not help');
  await on.close();
});

void t.test('settings of a topology reach the master: labels, and spreading by itself', async (t) => {
  const on = await stage(['a', 2]);
  await on.submit('words', 2, {
    description: { ...withSettings({ autoRebalance: true }).description, name: 'words' },
  });
  await on.submit('labelled', 1, {
    description: { ...withSettings({ hostLabels: ['disk'] }).description, name: 'labelled' },
  });
  t.match(await on.topologies.get('labelled'), { assignment: { waiting: 'no host that takes workers has "disk"' } });
  await on.join('b', 3, { labels: ['disk', 'eu'] });
  await on.advance(HOSTS_GATHER_MS);
  t.equal(await on.where('labelled'), '1: b/1');
  t.equal(await on.where('words'), '1: a/0 b/0', 'C49 with autoRebalance');
  await on.close();
});

void t.test('C49 a rebalance spreads what runs onto hosts that joined', async (t) => {
  const on = await stage(['a', 3]);
  await on.submit('words', 3);
  await on.join('b', 3);
  await on.join('c', 3);
  await on.advance(HOSTS_GATHER_MS);
  t.equal(await on.where('words'), '1: a/0 a/1 a/2');
  await on.topologies.rebalance('words', {});
  await on.advance(1);
  t.equal(await on.where('words'), '1: a/0 c/0 b/0');
  t.match(await on.topologies.get('words'), { assignment: { change: 1 } });
  await on.close();
});
