// What the simulated store does with each fault, one by one: what random runs only touch by chance.

import t from 'tap';
import type { Session } from '../../../../coordination/store/contract.js';
import {
  SimulatedStore,
  type SimulatedStoreOptions,
} from '../../../../coordination/store/simulated/simulated-store.js';
import type { Change } from '../../../../coordination/store/simulated/leader.js';
import { VirtualClock, type Clock } from '../../../../engine/clock.js';
import { SIMULATED_SYNC_LIMIT_MS, STORE_CALLS_MAX, STORE_WATCHES_MAX } from '../../../../engine/limits.js';
import { text, textOf } from '../contract-kit.js';

class Stage {
  readonly clock = new VirtualClock();
  readonly store: SimulatedStore;

  constructor(options: Partial<SimulatedStoreOptions> = {}) {
    this.store = new SimulatedStore({ clock: this.clock, seed: 1, sessionTimeoutMs: 3000, ...options });
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.clock.step(untilMs));
  }

  /** What comes of it while time goes on. */
  async get<T>(made: Promise<T>, withinMs = 500): Promise<T> {
    const outcome = Promise.allSettled([made]);
    await this.advance(withinMs);
    const [settled] = await Promise.race([outcome, Promise.reject(new Error(`nothing within ${withinMs} ms`))]);
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  }

  async session(name: string): Promise<Session> {
    return await this.get(this.store.client(name).connect());
  }
}

const unavailable = { code: 'MILLRACE_STORE_UNAVAILABLE' };
const uncertain = { code: 'MILLRACE_STORE_UNCERTAIN' };

void t.test('who is cut off is lost when its time is over, not before, and learns it when it is back', async (t) => {
  const stage = new Stage();
  const [a, b] = [await stage.session('a'), await stage.session('b')];
  await stage.get(a.create('/a', text(''), 'ephemeral'));
  const events: string[] = [];
  a.onEvent(({ type }) => events.push(type));
  stage.store.partition('a');
  await t.rejects(stage.get(a.set('/a', text(''), null, { timeoutMs: 100 })), uncertain);
  t.equal(a.state, 'suspended');
  await t.rejects(stage.get(a.get('/a')), unavailable);
  await t.rejects(stage.get(stage.store.client('a').connect({ timeoutMs: 300 })), unavailable);
  t.ok(await stage.get(b.exists('/a')));
  await stage.advance(4000);
  t.equal(await stage.get(b.exists('/a')), null);
  t.strictSame([a.state, events], ['suspended', ['suspended']], 'only the store says that it is lost');
  stage.store.heal('a');
  await stage.advance(2000);
  t.strictSame([a.state, events], ['lost', ['suspended', 'lost']]);
  await stage.get(stage.store.close());
});

void t.test(
  'a client whose clock stands still is lost like one that is cut off, and learns it when it goes on',
  async (t) => {
    const stage = new Stage();
    const { clock, store } = stage;
    const held: (() => void)[] = [];
    let stands = false;
    const stopped: Clock = {
      now: () => clock.now(),
      after: (delayMs, call) => clock.after(delayMs, () => (stands ? held.push(call) : call())),
    };
    const a = await stage.get(store.client('a', stopped).connect());
    const b = await stage.session('b');
    await stage.get(a.create('/a', text('1'), 'ephemeral'));
    const states: string[] = [];
    a.watchNode('/a', (node) => states.push(node === null ? 'none' : textOf(node.data)));
    await stage.advance(100);
    stands = true;
    const asked = a.get('/a');
    await stage.get(b.set('/a', text('2'), null));
    await stage.advance(4000);
    t.equal(await stage.get(b.exists('/a')), null, 'it is gone for the others');
    t.strictSame([a.state, states], ['connected', ['1']]);
    stands = false;
    for (const call of held.splice(0)) call();
    await t.rejects(stage.get(asked), unavailable, 'the store had let its connection go');
    await stage.advance(2000);
    t.strictSame([a.state, states], ['lost', ['1']]);
    await stage.get(store.close());
  },
);

void t.test('each change is told in its order, with the session that asked for it', async (t) => {
  const changes: Change[] = [];
  const stage = new Stage({ changed: (change) => changes.push(change) });
  const session = await stage.session('a');
  await stage.get(session.create('/a', text('1'), 'ephemeral'));
  await t.rejects(stage.get(session.create('/a', text('2'))), { code: 'MILLRACE_STORE_NODE_EXISTS' });
  await stage.get(session.set('/a', text('3'), null));
  await stage.get(stage.store.expire(session.id));
  t.strictSame(
    changes.map(({ revision, session: by, effects }) => [revision, by, effects.map(({ type }) => type)]),
    [
      [1, session.id, ['create']],
      [2, session.id, ['set']],
      [3, session.id, ['delete']],
    ],
  );
  await stage.get(stage.store.close());
});

void t.test('a short break costs the connection, and not the session', async (t) => {
  const stage = new Stage();
  const session = await stage.session('a');
  await stage.get(session.create('/a', text('1'), 'ephemeral'));
  const states: string[] = [];
  session.watchNode('/a', (node) => states.push(node === null ? 'none' : textOf(node.data)));
  await stage.advance(10);
  const events: string[] = [];
  session.onEvent(({ type }) => events.push(type));
  const under = [session.set('/a', text('2'), null), session.get('/a')];
  stage.store.disconnect('b');
  stage.store.disconnect('a');
  const settled = Promise.allSettled(under);
  await stage.advance(500);
  t.match(await settled, [{ reason: uncertain }, { reason: unavailable }]);
  t.strictSame([session.state, events], ['connected', ['suspended', 'reconnected']]);
  await stage.get(session.set('/a', text('3'), null));
  t.equal(states.at(-1), '3', 'its watches go on');
  t.equal(new Set(states).size, states.length, 'and tell nothing twice');
  await stage.get(stage.store.close());
});

void t.test('a server that is cut off shows old things for a while, then lets its clients go', async (t) => {
  const stage = new Stage({ servers: 1, sessionTimeoutMs: 30_000 });
  const [a, b] = [await stage.session('a'), await stage.session('b')];
  await stage.get(a.create('/a', text('')));
  stage.store.cutServer(0);
  const write = a.set('/a', text('2'), null, { timeoutMs: 60_000 });
  const failed = t.rejects(write, uncertain, 'nobody knows');
  t.ok(await stage.get(b.exists('/a')));
  await stage.advance(SIMULATED_SYNC_LIMIT_MS);
  await failed;
  t.equal(b.state, 'suspended');
  stage.store.joinServer(0);
  await stage.advance(2000);
  t.equal(b.state, 'connected');
  t.equal((await stage.get(b.get('/a'))).stat.version, 0, 'it has the tree again');
  await stage.get(stage.store.close());
});

void t.test('a lagging server shows what was before, until a sync', async (t) => {
  const stage = new Stage({ faults: { lagMs: [100, 100] } });
  const [a, b] = [await stage.session('a'), await stage.session('b')];
  await stage.get(a.create('/a', text('')));
  const told = a.set('/a', text('2'), null).then(() => stage.clock.now());
  const old = b.get('/a');
  t.equal(textOf((await stage.get(old, 50)).data), '');
  const synced = b.sync('/a').then(() => stage.clock.now());
  t.equal(await stage.get(synced, 60), await told, 'a write is told when its own server has it');
  t.equal(textOf((await stage.get(b.get('/a'))).data), '2');
  await stage.get(stage.store.close());
});

void t.test('a store that was away for long has lost no session', async (t) => {
  const stage = new Stage();
  const session = await stage.session('a');
  await stage.get(session.create('/a', text(''), 'ephemeral'));
  stage.store.stop();
  await stage.advance(60_000);
  t.equal(session.state, 'suspended');
  await t.rejects(stage.get(stage.store.connect({ timeoutMs: 100 })), unavailable);
  stage.store.start();
  stage.store.start();
  await stage.advance(2500);
  t.equal(session.state, 'connected');
  t.ok(await stage.get(session.exists('/a')));
  await stage.get(stage.store.close());
});

void t.test('what was under way on an old connection never comes behind what the new one brought', async (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const stage = new Stage({ seed, sessionTimeoutMs: 60_000 });
    const session = await stage.session('a');
    await stage.get(session.create('/a', text('')));
    stage.store.setFaults({ delayMs: [400, 500] });
    const early = session.set('/a', text('early'), null).catch(() => undefined);
    await stage.advance(300);
    stage.store.setFaults({ delayMs: [0, 0] });
    stage.store.disconnect('a');
    await stage.advance(20);
    t.equal(session.state, 'connected');
    await stage.get(session.set('/a', text('late'), null), 20);
    await stage.advance(2000);
    await early;
    const { data } = await stage.get(session.get('/a'));
    if (textOf(data) !== 'late') t.fail(`seed ${seed}: ${textOf(data)}`);
    await stage.get(stage.store.close());
  }
});

void t.test('a session that is closed while it is cut off resolves in the end', async (t) => {
  const stage = new Stage();
  const [a, b] = [await stage.session('a'), await stage.session('b')];
  await stage.get(a.create('/a', text(''), 'ephemeral'));
  stage.store.partition('a');
  const closed = a.close();
  t.equal(a.state, 'closed');
  await t.rejects(stage.get(closed, 5000), { message: /nothing within/ });
  await stage.get(closed, 10_000);
  t.equal(await stage.get(b.exists('/a')), null);
  stage.store.heal('a');
  const again = await stage.session('a');
  stage.store.disconnect('a');
  await stage.get(again.close(), 3000);
  await stage.get(stage.store.close());
});

void t.test('who waits for a session may give up, and learns that the store was closed', async (t) => {
  const stage = new Stage();
  stage.store.partition('a');
  const controller = new AbortController();
  const reason = new Error('enough');
  const given = t.rejects(stage.store.client('a').connect({ signal: controller.signal }), reason);
  await stage.advance(100);
  controller.abort(reason);
  await given;
  await t.rejects(stage.store.connect({ signal: AbortSignal.abort(reason) }), reason);
  const closed = t.rejects(stage.store.client('a').connect(), { ...unavailable, message: /is closed/ });
  const session = await stage.session('b');
  stage.store.partition('b');
  const call = t.rejects(session.set('/', text(''), null), uncertain);
  await stage.store.close();
  await Promise.all([closed, call]);
  t.equal(session.state, 'closed');
  await t.rejects(stage.store.connect(), unavailable);
  await stage.advance(100_000);
  t.equal(stage.clock.nextDueMs(), undefined, 'no timer is left');
});

void t.test('what waits and what is followed is bounded, and a call may be given up', async (t) => {
  const stage = new Stage({ faults: { delayMs: [1, 1] } });
  const session = await stage.session('a');
  const controller = new AbortController();
  const reason = new Error('enough');
  const given = t.rejects(session.get('/', { signal: controller.signal }), reason);
  controller.abort(reason);
  await given;
  const calls = Array.from({ length: STORE_CALLS_MAX }, () => session.exists('/').catch(() => undefined));
  await t.rejects(session.exists('/'), { code: 'MILLRACE_STORE_TOO_MANY' });
  stage.store.disconnect();
  await stage.advance(3000);
  await Promise.all(calls);
  for (let count = 0; count < STORE_WATCHES_MAX; count++) session.watchNode('/', () => undefined);
  t.throws(() => session.watchNode('/', () => undefined), { code: 'MILLRACE_STORE_TOO_MANY' });
  await stage.store.close();
});

void t.test('its options are checked and bounded', async (t) => {
  t.throws(() => new Stage({ access: [] }), { code: 'MILLRACE_STORE_ACCESS' });
  const may = ['read', 'write', 'create', 'delete', 'admin'] as const;
  const credentials = [{ user: 'ann', password: 'secret' }];
  const stage = new Stage({ servers: 1000, credentials, access: [{ who: 'creator', may }], treeBytesMax: 2000 });
  const session = await stage.session('a');
  await stage.get(session.create('/a', text('')));
  t.match(await stage.get(session.access('/a')), [{ who: { user: 'ann' } }]);
  await t.rejects(stage.get(session.create('/b', text('x'.repeat(2000)))), { code: 'MILLRACE_STORE_FULL' });
  await t.rejects(stage.get(stage.store.connect({ credentials: [{ user: ':', password: '' }] })), {
    code: 'MILLRACE_STORE_CREDENTIALS',
  });
  await stage.get(stage.store.close());
});
