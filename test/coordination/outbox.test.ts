// What a host has to say while it is saying something else.

import t from 'tap';
import { VirtualClock } from '../../engine/clock.js';
import { silentLogger } from '../../engine/log.js';
import { Outbox } from '../../coordination/host/outbox.js';
import { ensureLayout } from '../../coordination/host/registration.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { settle } from './cluster.js';
import { textOf } from './store/contract.js';

void t.test('an end that replaces another one while that is written is said too', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const session = await store.connect();
  await ensureLayout(session);
  const end = { status: 'completed', error: null, final: null, startedAtMs: 1, endedAtMs: 2 } as const;
  const outbox = new Outbox({
    session: async () => session,
    clock: new VirtualClock(),
    logger: silentLogger,
    member: 'a~1',
  });
  const set = session.set.bind(session);
  session.set = async (...args) => {
    session.set = set;
    outbox.addFinal('id', { ...end, revision: 2 });
    return await set(...args);
  };
  outbox.addFinal('id', { ...end, revision: 1 });
  await settle();
  t.match(JSON.parse(textOf((await session.get('/finals/id')).data)), { revision: 2 });
  await outbox.close();
  await store.close();
});
