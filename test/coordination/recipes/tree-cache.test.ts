// The cache of a subtree: first what is there, then what changes, in an order in which who listens always holds a tree;
// and whatever happens to the connection, in the end it holds what the store holds.

import fc from 'fast-check';
import t from 'tap';
import { TreeCache, type TreeEvent } from '../../../coordination/recipes/tree-cache.js';
import type { Session } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { parentOf } from '../../../coordination/store/node-path.js';
import { SimulatedStore } from '../../../coordination/store/simulated/simulated-store.js';
import { RealClock, VirtualClock } from '../../../engine/clock.js';
import { silentLogger } from '../../../engine/log.js';
import { STORE_WATCHES_MAX } from '../../../engine/limits.js';
import { Seen, text, textOf } from '../store/contract-kit.js';

/** Builds the tree from the events alone, and notes what breaks its order. */
class Listener {
  readonly seen = new Seen<TreeEvent>();
  readonly nodes = new Map<string, bigint>();
  readonly data = new Map<string, string>();
  readonly wrong: string[] = [];
  private readonly top: string;

  constructor(top: string) {
    this.top = top;
  }

  readonly listener = (event: TreeEvent): void => {
    if (event.type === 'set') {
      const { path, node } = event;
      const before = this.nodes.get(path);
      const revision = node.stat.modifyRevision;
      if (path !== this.top && !this.nodes.has(parentOf(path))) this.wrong.push(`"${path}" came before its parent`);
      if (before !== undefined && before >= revision) this.wrong.push(`"${path}" went back`);
      this.nodes.set(path, revision);
      this.data.set(path, textOf(node.data));
    }
    if (event.type === 'deleted') {
      const { path } = event;
      if (!this.nodes.delete(path)) this.wrong.push(`"${path}" was not there`);
      this.data.delete(path);
      const orphan = [...this.nodes.keys()].find((each) => each.startsWith(`${path}/`));
      if (orphan !== undefined) this.wrong.push(`"${orphan}" outlived its parent`);
    }
    this.seen.listener(event);
  };

  /** The events as short words. */
  get words(): readonly string[] {
    return this.seen.states.map((event) => ('path' in event ? `${event.type} ${event.path}` : event.type));
  }

  async until(word: string): Promise<void> {
    await this.seen.until(() => this.words.includes(word));
  }
}

function cacheOf(session: Session, path: string, heard: Listener, nodesMax?: number): TreeCache {
  const options = { session, clock: new RealClock(), logger: silentLogger, path, listener: heard.listener };
  return new TreeCache(nodesMax === undefined ? options : { ...options, nodesMax });
}

void t.test('first what is there, parents first, then each change', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const [writer, reader] = await Promise.all([store.connect(), store.connect()]);
  for (const path of ['/t', '/t/a', '/t/a/x', '/t/b', '/other']) await writer.create(path, text(path));
  const heard = new Listener('/t');
  const cache = cacheOf(reader, '/t', heard);
  t.notOk(cache.fresh);
  await cache.ready;
  t.ok(cache.fresh);
  t.strictSame(heard.words.toSorted(), ['ready', 'set /t', 'set /t/a', 'set /t/a/x', 'set /t/b']);
  t.equal(heard.words.at(-1), 'ready');
  t.strictSame([...cache.nodes.keys()].toSorted(), ['/t', '/t/a', '/t/a/x', '/t/b']);
  await writer.set('/t/a/x', text('new'), null);
  await heard.seen.until((event) => event.type === 'set' && textOf(event.node.data) === 'new');
  await writer.create('/t/e', text(''), 'ephemeral');
  await heard.until('set /t/e');
  await writer.multi([
    { type: 'delete', path: '/t/a/x', version: null },
    { type: 'delete', path: '/t/a', version: null },
  ]);
  await heard.until('deleted /t/a');
  t.ok(heard.words.indexOf('deleted /t/a/x') < heard.words.indexOf('deleted /t/a'), 'children go first');
  await writer.close();
  await heard.until('deleted /t/e');
  t.strictSame([heard.wrong, [...cache.nodes.keys()].toSorted()], [[], ['/t', '/t/b']]);
  cache.close();
  cache.close();
  t.notOk(cache.fresh);
  const count = heard.words.length;
  await reader.set('/t', text('unheard'), null);
  await reader.sync('/t');
  await reader.get('/t');
  t.equal(heard.words.length, count);
  await store.close();
});

void t.test('a top that is not there yet, goes and comes', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const session = await store.connect();
  const heard = new Listener('/t');
  const cache = cacheOf(session, '/t', heard);
  await cache.ready;
  t.strictSame(heard.words, ['ready']);
  await session.multi([
    { type: 'create', path: '/t', data: text('1') },
    { type: 'create', path: '/t/a', data: text('1') },
  ]);
  await heard.until('set /t/a');
  await session.multi([
    { type: 'delete', path: '/t/a', version: null },
    { type: 'delete', path: '/t', version: null },
    { type: 'create', path: '/t', data: text('2') },
    { type: 'create', path: '/t/a', data: text('2') },
  ]);
  await heard.seen.until((event) => event.type === 'set' && event.path === '/t/a' && textOf(event.node.data) === '2');
  t.strictSame(heard.words.slice(0, 3), ['ready', 'set /t', 'set /t/a']);
  t.strictSame(heard.words.slice(-4), ['deleted /t/a', 'deleted /t', 'set /t', 'set /t/a']);
  t.strictSame(heard.wrong, []);
  await store.close();
  t.notOk(cache.fresh, 'it ends with its session');
});

void t.test('more nodes than its bound are an error that names the subtree', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const session = await store.connect();
  for (const path of ['/t', '/t/a', '/t/b']) await session.create(path, text(''));
  const early = new Listener('/t');
  const small = cacheOf(session, '/t', early, 2);
  const tooMany = { code: 'MILLRACE_STORE_SUBTREE', status: 507, message: /"\/t".* 2 nodes/ };
  await t.rejects(small.ready, tooMany);
  t.match(early.seen.states.at(-1), { type: 'failed', error: tooMany });
  const late = new Listener('/t');
  const full = cacheOf(session, '/t', late, 3);
  await full.ready;
  await session.create('/t/c', text(''));
  await late.until('failed');
  await session.delete('/t/c', null);
  await session.sync('/');
  t.equal(late.words.at(-1), 'failed', 'nothing follows');
  const watches = Array.from({ length: STORE_WATCHES_MAX - 1 }, () => session.watchNode('/', () => undefined));
  const none = new Listener('/t');
  const starved = cacheOf(session, '/t', none);
  await t.rejects(starved.ready, { code: 'MILLRACE_STORE_TOO_MANY' });
  t.equal(none.words.at(-1), 'failed');
  for (const watch of watches) watch.close();
  await store.close();
});

void t.test('it ends with its session, and when it is closed', async (t) => {
  const store = await EmbeddedStore.open({ directory: null });
  const [writer, reader] = await Promise.all([store.connect(), store.connect()]);
  await writer.create('/t', text(''));
  const closed = cacheOf(reader, '/t', new Listener('/t'));
  closed.close();
  await t.rejects(closed.ready, { code: 'MILLRACE_STORE_CLOSED' });
  const lost = cacheOf(reader, '/t', new Listener('/t'));
  await store.expire(reader.id);
  await t.rejects(lost.ready, { code: 'MILLRACE_STORE_SESSION_LOST' });
  const logged: string[] = [];
  const logger = { ...silentLogger, error: (line: string) => void logged.push(line) };
  const listener = (): void => {
    throw new Error('thrown by a listener');
  };
  const cache = new TreeCache({ session: writer, clock: new RealClock(), logger, path: '/t', listener });
  await cache.ready;
  t.match(logged, [/subtree "\/t" threw: .*thrown by a listener/, /threw/]);
  const whole: TreeCache = new TreeCache({
    session: writer,
    clock: new RealClock(),
    logger,
    path: '/t',
    listener: () => whole.close(),
  });
  await t.rejects(whole.ready, { code: 'MILLRACE_STORE_CLOSED' }, 'closed by its own listener');
  await store.close();
});

type Step =
  | { readonly type: 'create' | 'set' | 'delete'; readonly path: string }
  | { readonly type: 'partition' | 'disconnect' | 'cut' | 'stop' | 'wait'; readonly ms: number };

const paths = ['/t', '/t/a', '/t/a/x', '/t/a/x/1', '/t/b', '/t/b/y'];
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constantFrom('create' as const, 'create' as const, 'set' as const, 'delete' as const),
        path: fc.constantFrom(...paths),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constantFrom('partition' as const, 'disconnect' as const, 'cut' as const, 'stop' as const),
        ms: fc.constantFrom(50, 1000, 4000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(5, 100, 1500) }) },
  ),
  { minLength: 5, maxLength: 60 },
);

/** Lets things happen around a cache, and says what was wrong. */
async function followed(seed: number, list: readonly Step[]): Promise<readonly string[]> {
  const clock = new VirtualClock();
  const store = new SimulatedStore({ clock, seed, sessionTimeoutMs: 60_000 });
  const advance = async (ms: number): Promise<void> => {
    const untilMs = clock.now() + ms;
    do await new Promise((resolve) => setImmediate(resolve));
    while (clock.step(untilMs));
  };
  const connecting = [store.client('writer').connect(), store.client('reader').connect()];
  await advance(100);
  const [writer, reader] = (await Promise.all(connecting)) as [Session, Session];
  store.setFaults({ delayMs: [0, 30], lagMs: [0, 200], watchDelayMs: [0, 100] });
  const heard = new Listener('/t');
  let acknowledged = 0n;
  let atReconnection = 0n;
  let shouldBe = 'reading';
  reader.onEvent(({ type }) => {
    if (type === 'reconnected') atReconnection = acknowledged;
  });
  const listener = (event: TreeEvent): void => {
    heard.listener(event);
    const { type } = event;
    if (type === 'set' || type === 'deleted') return;
    const allowed = { reading: ['ready'], fresh: ['stale'], stale: ['fresh'] }[shouldBe] ?? [];
    if (!allowed.includes(type)) heard.wrong.push(`"${type}" after "${shouldBe}"`);
    shouldBe = type === 'stale' ? 'stale' : 'fresh';
    if (type === 'stale') return;
    const newest = heard.nodes.get('/t/clock') ?? 0n;
    if (newest < atReconnection) heard.wrong.push(`fresh at ${newest}, but ${atReconnection} was there before`);
  };
  const cache = new TreeCache({ session: reader, clock, logger: silentLogger, path: '/t', listener });
  const ignore = (): void => undefined;
  await Promise.all([writer.create('/t', text('')), writer.create('/t/clock', text('')), advance(1000)]);
  for (const step of list) {
    void writer.set('/t/clock', text(''), null).then(({ modifyRevision }) => (acknowledged = modifyRevision), ignore);
    if ('path' in step) {
      const { type, path } = step;
      if (type === 'create') writer.create(path, text(String(clock.now()))).catch(ignore);
      if (type === 'set') writer.set(path, text(String(clock.now())), null).catch(ignore);
      if (type === 'delete') writer.delete(path, null).catch(ignore);
      await advance(20);
      continue;
    }
    if (step.type === 'partition') store.partition('reader');
    if (step.type === 'disconnect') store.disconnect('reader');
    if (step.type === 'cut') store.cutServer(step.ms);
    if (step.type === 'stop') store.stop();
    await advance(step.ms);
    store.heal('reader');
    if (step.type === 'stop') store.start();
    if (step.type === 'cut') store.joinServer(step.ms);
  }
  store.calm();
  // A connection on which something was dropped is noticed after two thirds of the session's timeout.
  await advance(60_000);
  const checker = store.connect();
  await advance(1000);
  const session = await checker;
  const { wrong } = heard;
  const there = new Map<string, string>();
  for (const path of [...paths, '/t/clock']) {
    const reading = session.get(path).then(({ data }) => there.set(path, textOf(data)), ignore);
    await Promise.all([reading, advance(100)]);
  }
  if (reader.ended.aborted) wrong.push('the session is lost, so the run shows nothing');
  if (!cache.fresh || shouldBe !== 'fresh') wrong.push(`it is ${shouldBe} in the end`);
  const shown = JSON.stringify([...heard.data].toSorted());
  if (shown !== JSON.stringify([...there].toSorted())) wrong.push(`it holds ${shown}`);
  if (cache.nodes.size !== there.size) wrong.push('what it holds is not what it told');
  cache.close();
  await Promise.all([store.close(), advance(20_000)]);
  return wrong;
}

void t.test('whatever happens to the connection, it tells a tree, and in the end the one of the store', async (t) => {
  const property = fc.asyncProperty(fc.nat(), steps, async (seed, list) => {
    const wrong = await followed(seed, list);
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  });
  await fc.assert(property, { numRuns: 100 });
  t.pass('100 runs');
});
