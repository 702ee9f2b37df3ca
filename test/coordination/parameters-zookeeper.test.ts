// Parameters on a real ensemble: two hosts set and follow them, with servers that may lag behind each other, and over
// the end of a session.

import t from 'tap';
import { ClusterHost } from '../../coordination/host/cluster-host.js';
import type { Session, Store } from '../../coordination/store/contract.js';
import { RealClock, VirtualClock } from '../../engine/clock.js';
import { silentLogger } from '../../engine/log.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import { entropySeed, Random } from '../../engine/random.js';
import { FakeRunner, topology } from './cluster.js';
import { runningEnsemble } from './ensemble/running.js';
import { storesOn } from './ensemble/stores.js';

t.setTimeout(120_000);

const open = storesOn(await runningEnsemble(t));

t.test('what one host sets, the other one tells its runs, also in its next session', async (t) => {
  const { store, expire, close } = await open();
  t.teardown(close);
  const sessions: Session[] = [];
  const kept: Store = {
    connect: async (options) => {
      const session = await store.connect(options);
      sessions.push(session);
      return session;
    },
  };
  const hostOn = async (host: string, on: Store): Promise<ClusterHost> => {
    const started = new ClusterHost({
      ...{ store: on, host, slots: 2, runner: new FakeRunner(new VirtualClock()), clock: new RealClock() },
      ...{ logger: silentLogger, random: new Random(entropySeed()), wallMs: () => Date.now() },
    });
    await started.start();
    t.teardown(() => started.close());
    return started;
  };
  const [a, b] = [await hostOn('a', store), await hostOn('b', kept)];
  const { id } = await a.topologies.submit(topology('words'));
  let look = (): void => undefined;
  const seen = b.liveParameters.follow({ stateId: id, name: 'words' }, () => look());
  const sees = async (expected: ParameterValues): Promise<void> => {
    await new Promise<void>((resolve) => {
      look = () => {
        if (JSON.stringify(seen.now) === JSON.stringify(expected)) resolve();
      };
      look();
    });
    t.pass(JSON.stringify(expected));
  };
  await seen.ready;
  t.strictSame(seen.now, {});
  await a.parameters.set({ name: 'words' }, { n: 0 }, 0);
  await sees({ n: 0 });
  t.match(await b.parameters.get({ name: 'words' }), { version: 1, values: { n: 0 } }, 'and can be asked at once');
  await t.rejects(b.parameters.set({ name: 'words' }, { n: 1 }, 0), { code: 'MILLRACE_PARAMETERS_VERSION' });
  // Each of them makes its values of those of the other one, and none is lost.
  for (let n = 1; n <= 10; n++) {
    const host = n % 2 === 0 ? a : b;
    const { version, values } = await host.parameters.get({ name: 'words' });
    t.strictSame(values, { n: n - 1 });
    await host.parameters.set({ name: 'words' }, { n }, version);
  }
  await sees({ n: 10 });
  await expire(sessions.at(-1)!);
  await a.parameters.set(null, { all: true }, null);
  await a.parameters.set({ name: 'words' }, { n: 11 }, null);
  await sees({ all: true, n: 11 });
  seen.close();
});
