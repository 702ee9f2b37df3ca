// The network between the servers breaks, and clients sit on the wrong side: the leader is cut off from the rest, or a
// follower with a client on it. Whoever is cut off may go on to answer reads for a while; nothing that it is asked to
// write is accepted, and sessions move to where a majority is.

import t from 'tap';
import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import { PartitionedEnsemble } from '../../ensemble/partitioned.js';
import { Events, freshPath, outcome, sessionOn, text, textOf } from './real.js';

t.setTimeout(150_000);

const partitioned = await PartitionedEnsemble.start(t);
const { ensemble } = partitioned;

async function serverThatIs(state: 'leader' | 'follower'): Promise<{ readonly id: number; readonly address: string }> {
  const { id, clientPort } = (await ensemble.status()).find((each) => each.state === state)!;
  return { id, address: `127.0.0.1:${clientPort}` };
}

for (const which of ['leader', 'follower'] as const) {
  void t.test(`the ${which} is cut off from the rest, a client with it`, async (t) => {
    await ensemble.serving();
    const cut = await serverThatIs(which);
    const addresses = ensemble.servers.map(({ clientPort }) => `127.0.0.1:${clientPort}`);
    const others = addresses.filter((address) => address !== cut.address).join(',');
    // Electing and joining again may take long where all servers share a busy machine: no session may run out over it.
    const sessionTimeoutMs = 30_000;
    const other = await sessionOn(t, ensemble, { servers: others, sessionTimeoutMs });
    // On the server that is cut off, and nowhere else: as a client on its side of the network.
    const inside = await sessionOn(t, ensemble, { servers: cut.address, sessionTimeoutMs });
    const events = new Events(inside);
    const path = freshPath('partition');
    await inside.create(path, text('0'));
    await inside.create(`${path}-here`, text(''), 'ephemeral');

    partitioned.isolate(cut.id);
    const written = outcome(inside.set(path, text('from the wrong side'), 0));
    // A majority goes on, after it has elected a leader where that was cut off.
    let accepted: unknown = null;
    while (typeof accepted !== 'object' || accepted === null) {
      accepted = await outcome(other.set(path, text('from the majority'), 0, { timeoutMs: 1_000 }));
      if (accepted === 'MILLRACE_STORE_BAD_VERSION') break;
    }
    t.match(await written, /MILLRACE_STORE_(UNCERTAIN|UNAVAILABLE)/, 'the other side accepts nothing');
    t.equal(textOf((await other.get(path)).data), 'from the majority');
    t.equal(await outcome(inside.get(path)), 'MILLRACE_STORE_UNAVAILABLE', 'who is left alone serves nobody');

    partitioned.join(cut.id);
    await events.until('reconnected');
    await inside.sync(path);
    t.equal(textOf((await inside.get(path)).data), 'from the majority');
    t.not(await other.exists(`${path}-here`), null, 'its session lived on');
    t.strictSame(events.seen.includes('lost'), false);
  });
}

void t.test('a session whose client is cut off with its server ends for the others first', async (t) => {
  await ensemble.serving();
  const cut = await serverThatIs('follower');
  const path = freshPath('alone');
  const inside = await new ZookeeperStore({ servers: cut.address, sessionTimeoutMs: 600 }).connect();
  t.teardown(() => inside.end(500));
  await inside.create(path, text(''), 'ephemeral');
  const [majority] = ensemble.servers.filter(({ id }) => id !== cut.id);
  const other = await sessionOn(t, ensemble, { servers: `127.0.0.1:${majority!.clientPort}` });
  const gone = new Promise<void>((resolve) => {
    other.watchNode(path, (node) => (node === null ? resolve() : undefined));
  });
  partitioned.isolate(cut.id);
  await gone;
  // A read may still be answered there; a write never is.
  t.match(await outcome(inside.set(path, text('late'), null, { timeoutMs: 1_000 })), /^MILLRACE_STORE_/);
  partitioned.join(cut.id);
  const events = new Events(inside);
  if (inside.state !== 'lost') await events.until('lost');
  t.equal(await outcome(inside.set(path, text('late'), null)), 'MILLRACE_STORE_SESSION_LOST');
  t.equal(await other.exists(path), null);
});
