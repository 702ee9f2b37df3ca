// Servers and clients that die, stop and come back, while others write: what was accepted stays, what is written is
// written once, and sessions live on. How long it takes is measured by `npm run faults`, and asserted nowhere.

import t from 'tap';
import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import { runningEnsemble } from '../../ensemble/running.js';
import { allAway, bringBack, ClientProcess, rollingRestart, untilKnown, whileWriting } from './faults.js';
import { Events, freshPath, outcome, sessionOn, text, textOf } from './real.js';

t.setTimeout(200_000);

const ensemble = await runningEnsemble(t);

void t.test('kill -9 of a follower, and of the leader', async (t) => {
  for (const which of ['follower', 'leader'] as const) {
    const { wrong, writers } = await whileWriting(ensemble, 6_000, () => ensemble.kill(which));
    t.strictSame(wrong, [], which);
    if (which === 'leader') {
      for (const { events } of writers) t.match(events.seen, ['suspended', 'reconnected'], 'all of them were cut off');
    }
    await bringBack(ensemble);
  }
});

void t.test('a rolling restart', async (t) => {
  const { wrong } = await whileWriting(ensemble, 6_000, () => rollingRestart(ensemble));
  t.strictSame(wrong, []);
});

void t.test('all servers are away for longer than a session lasts', async (t) => {
  const session = await sessionOn(t, ensemble, { sessionTimeoutMs: 1_000 });
  const events = new Events(session);
  const path = freshPath('away');
  await session.create(path, text('before'), 'ephemeral');
  const { wrong } = await whileWriting(ensemble, 1_000, () => allAway(ensemble, 1_500));
  t.strictSame(wrong, []);
  await events.until('reconnected');
  t.notOk(events.seen.includes('lost'), 'only the store says that a session is over');
  t.equal(textOf((await session.get(path)).data), 'before');
});

void t.test('SIGSTOP of the leader, and of the server of a client', async (t) => {
  const { wrong } = await whileWriting(ensemble, 3_000, () => ensemble.pause('leader'));
  t.strictSame(wrong, []);
  for (const { id, state } of await ensemble.status()) if (state === 'paused') await ensemble.resume(id);
  await ensemble.serving();
});

void t.test(
  'kill -9 of a client: its session is ended by its time, or at once by who knows its password',
  async (t) => {
    const dead = await ClientProcess.start(ensemble, 400);
    t.teardown(() => dead.kill());
    t.ok((await untilKnown(ensemble, dead)) > 0, 'by its time');
    const supervised = await ClientProcess.start(ensemble, 30_000);
    t.teardown(() => supervised.kill());
    const { id, password } = supervised;
    const stranger = new ZookeeperStore({ servers: ensemble.connectString });
    t.equal(await stranger.endSession(id, '00'.repeat(16)), 'gone', 'with its password only');
    let ending = '';
    await untilKnown(ensemble, supervised, async (store) => (ending = await store.endSession(id, password)));
    t.equal(ending, 'closed');
    t.equal(await stranger.endSession(id, password), 'gone', 'once');
  },
);

void t.test('SIGSTOP of a client beyond its session: it learns of it, and writes nothing more in it', async (t) => {
  const client = await ClientProcess.start(ensemble, 600);
  t.teardown(() => client.kill());
  const other = await sessionOn(t, ensemble);
  const gone = new Promise<void>((resolve) => {
    other.watchNode(client.path, (node) => (node === null ? resolve() : undefined));
  });
  client.process.kill('SIGSTOP');
  await gone;
  client.process.kill('SIGCONT');
  let event = '';
  while (event !== 'lost') event = (await client.next('event'))['event']!;
  t.strictSame(await client.next('write'), { write: 'MILLRACE_STORE_SESSION_LOST' });
  t.equal(await outcome(other.exists(client.path)), null);
});
