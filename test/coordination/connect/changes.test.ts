// `zookeeper-changes`: the present state, changes in order, what a lost session brings, replays, and bounds.

import t, { type Test } from 'tap';
import fc from 'fast-check';
import { topology } from '../../../engine/index.js';
import { TestRun } from '../../../engine/testing/index.js';
import { defineSpout } from '../../../engine/component/spec.js';
import { CHANGE_FIELDS, ZookeeperChanges } from '../../../coordination/connect/zookeeper/changes.js';
import { zookeeperChanges } from '../../../coordination/connect/zookeeper/index.js';
import { failure } from '../../../engine/errors.js';
import { VirtualClock } from '../../../engine/clock.js';
import { fakeContext, thrownBy } from '../../engine/connect/fakes.js';
import { text } from '../store/contract.js';
import { Driven, Place, turns } from './kit.js';

const lost = {
  cause: 'failed',
  code: 'X',
  message: 'no',
  component: 'out',
  task: 1,
} as const;

async function opened(t: Test, config: Readonly<Record<string, unknown>> = {}, heldBytesMax?: number) {
  const place = await Place.open();
  await place.test.create('/a', text('root'));
  await place.test.create('/a/b', text('1'));
  const driven = await Driven.open(place, config, heldBytesMax === undefined ? {} : { heldBytesMax });
  t.teardown(async () => {
    await driven.spout.close();
    await place.close();
  });
  return { place, test: place.test, driven };
}

void t.test('the present state comes first, then each change', async (t) => {
  const { test, driven } = await opened(t);
  await driven.until(2);
  t.strictSame(driven.told.toSorted(), ['set /a root', 'set /a/b 1']);
  driven.ackAll();
  await test.create('/a/c', text('new'));
  await driven.until(3);
  driven.ackAll();
  await test.set('/a/b', text('2'), null);
  await driven.until(4);
  driven.ackAll();
  await test.delete('/a/c', null);
  await driven.until(5);
  t.strictSame(driven.told.slice(2), ['set /a/c new', 'set /a/b 2', 'deleted /a/c']);
  const stat = await test.exists('/a/b');
  t.strictSame(driven.emitted[3]!.values.slice(3), [1, stat!.createRevision, stat!.modifyRevision]);
  await driven.settle();
  t.equal(driven.emitted.length, 5, 'and nothing twice');
});

void t.test('what came and went before anybody was told of it is not told', async (t) => {
  const { test, driven } = await opened(t, { pendingMax: 1 });
  await driven.until(1);
  for (let number = 0; number < 50; number++) {
    await test.create(`/a/gone-${number}`, text('x'));
    await turns(10);
    await test.delete(`/a/gone-${number}`, null);
  }
  await test.create('/a/last', text('stays'));
  for (let told = 2; told <= 3; told++) {
    driven.ackAll();
    await driven.until(told);
  }
  driven.ackAll();
  await driven.settle();
  t.strictSame(driven.told.toSorted(), ['set /a root', 'set /a/b 1', 'set /a/last stays']);
});

void t.test('what is not there yet is waited for', async (t) => {
  const place = await Place.open();
  const driven = await Driven.open(place, { path: '/later/on' });
  await driven.settle();
  t.strictSame(driven.told, []);
  await place.test.create('/later', text(''));
  await place.test.create('/later/on', text('here'));
  await driven.until(1);
  t.strictSame(driven.told, ['set /later/on here']);
  await driven.spout.close();
  await place.close();
});

void t.test('while a state of a node is out, its next ones wait, and only the last of them comes', async (t) => {
  const { test, driven } = await opened(t);
  await driven.until(2);
  for (const value of ['2', '3', '4']) await test.set('/a/b', text(value), null);
  await driven.settle();
  t.equal(driven.emitted.length, 2);
  driven.ackAll();
  await driven.until(3);
  t.strictSame(driven.told.slice(2), ['set /a/b 4']);
});

void t.test('a failed state comes again, later and later, but not when a newer one is there', async (t) => {
  const { test, driven } = await opened(t);
  await driven.until(2);
  const at = driven.told.indexOf('set /a/b 1');
  const { id } = driven.emitted[at]!;
  driven.spout.fail(id, 'failed', lost);
  await driven.settle();
  t.equal(driven.emitted.length, 2, 'not at once');
  driven.context.clock.step(100);
  await driven.until(3);
  t.equal(driven.told[2], 'set /a/b 1');
  driven.spout.fail(id, 'failed', lost);
  await test.set('/a/b', text('2'), null);
  await driven.settle();
  driven.context.clock.step(400);
  await driven.until(4);
  t.equal(driven.told[3], 'set /a/b 2');
  driven.spout.ack(driven.emitted[3]!.id);
  driven.context.clock.step(60_000);
  await driven.settle();
  t.equal(driven.emitted.length, 4, 'the older one is let go');

  await test.set('/a/b', text('3'), null);
  await driven.until(5);
  await test.set('/a/b', text('4'), null);
  await driven.settle();
  driven.spout.fail(driven.emitted[4]!.id, 'failed', lost);
  await driven.until(6);
  t.equal(driven.told[5], 'set /a/b 4', 'at once, when it has come before the failure');
});

void t.test('with retries a state is given up as a dead letter', async (t) => {
  const { driven } = await opened(t, { retries: 0 });
  await driven.until(2);
  driven.spout.fail(driven.emitted[0]!.id, 'failed', lost);
  await driven.until(3);
  t.strictSame(driven.emitted[2]!.values.slice(0, 5), ['X', 'no', 'out', 1, 'default']);
  t.strictSame(driven.emitted[2]!.values[5], driven.emitted[0]!.values);
  t.equal(driven.emitted[2]!.id, driven.emitted[0]!.id);
});

void t.test('after a lost session only what differs comes, deletions and new lives too', async (t) => {
  const { place, test, driven } = await opened(t);
  for (const name of ['same', 'set', 'gone', 'again']) await test.create(`/a/${name}`, text('old'));
  await test.create('/a/gone/below', text('old'));
  await driven.until(7);
  driven.ackAll();
  place.refusals = 3;
  await place.lose();
  await test.set('/a/set', text('new'), null);
  await test.delete('/a/gone/below', null);
  await test.delete('/a/gone', null);
  await test.delete('/a/again', null);
  await test.create('/a/again', text('old'));
  await test.create('/a/new', text('new'));
  await driven.until(12);
  await driven.settle();
  t.strictSame(driven.told.slice(7).toSorted(), [
    'deleted /a/gone',
    'deleted /a/gone/below',
    'set /a/again old',
    'set /a/new new',
    'set /a/set new',
  ]);
  t.equal(place.refusals, 0, 'it tried until there was a session');
  t.equal(place.sessions.length, 2);
  t.equal(place.opened, 1);
});

void t.test('whatever happens in whatever order, the last states have come', async (t) => {
  const change = fc.record({
    do: fc.constantFrom('put', 'put', 'delete', 'lose', 'ask', 'ask', 'fail'),
    name: fc.constantFrom('/a', '/a/b', '/a/b/c', '/a/d', '/a/d/e'),
    value: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 5, maxLength: 40 }), async (changes) => {
      const place = await Place.open();
      const driven = await Driven.open(place, {}, { heldBytesMax: 5 });
      let settled = 0;
      for (const { do: what, name, value } of changes) {
        if (what === 'put') {
          await place.test.create(name, text(String(value))).catch(() => undefined);
          await place.test.set(name, text(String(value)), null).catch(() => undefined);
        } else if (what === 'delete') {
          await place.test.delete(name, null).catch(() => undefined);
        } else if (what === 'lose') {
          if (place.sessions.length > 0) await place.lose();
        } else if (what === 'ask') {
          await driven.settle();
        } else {
          const out = driven.emitted[settled++];
          if (out !== undefined) driven.spout.fail(out.id, 'failed', lost);
        }
      }
      // Everything that is out is done sooner or later.
      for (let quiet = 0; quiet < 3; quiet++) {
        const before = driven.emitted.length;
        driven.context.clock.step(driven.context.clock.now() + 60_000);
        await driven.settle();
        driven.ackAll();
        if (driven.emitted.length > before) quiet = -1;
      }
      const seen = new Map(driven.told.map((line) => [line.split(' ')[1]!, line]));
      for (const name of ['/a', '/a/b', '/a/b/c', '/a/d', '/a/d/e']) {
        const node = await place.test.get(name).catch(() => null);
        const last = seen.get(name);
        const expected =
          node === null ? [undefined, `deleted ${name}`] : [`set ${name} ${Buffer.from(node.data).toString()}`];
        if (!expected.includes(last)) throw new Error(`${name}: ${String(last)} instead of ${expected.join(' or ')}`);
      }
      t.strictSame(driven.errors, []);
      await driven.spout.close();
      await place.close();
    }),
    { numRuns: 30 },
  );
});

void t.test('data beyond the bound is read again when its turn comes', async (t) => {
  const { test, driven } = await opened(t, { pendingMax: 1 }, 3);
  for (let number = 0; number < 6; number++) await test.create(`/a/n${number}`, text(`value ${number}`));
  await driven.until(1);
  await driven.settle();
  t.equal(driven.emitted.length, 1, 'one at a time');
  for (let count = 2; count <= 8; count++) {
    driven.ackAll();
    await driven.until(count);
  }
  const values = Array.from({ length: 6 }, (_, number) => `set /a/n${number} value ${number}`);
  t.strictSame(driven.told.filter((line) => line.includes('value')).toSorted(), values);
  t.strictSame(driven.errors, []);
});

void t.test('too many nodes end it with an error that says so', async (t) => {
  const { test, driven } = await opened(t, { nodesMax: 3 });
  await driven.until(2);
  await test.create('/a/c', text(''));
  await driven.settle();
  t.strictSame(driven.errors, []);
  await test.create('/a/d', text(''));
  await driven.settle();
  t.match(driven.errors[0], { code: 'MILLRACE_CHANGES_TOO_MANY', fatal: true, message: /more than 3 nodes at "\/a"/ });
});

void t.test('a store that lets no more be followed ends it, a session that is over does not', async (t) => {
  const { place, test, driven } = await opened(t);
  await driven.until(2);
  place.watchError = failure('MILLRACE_STORE_TOO_MANY', { count: 1, what: 'watches' });
  await place.lose();
  await test.set('/a/b', text('2'), null);
  await driven.settle();
  t.match(driven.errors.at(-1), { code: 'MILLRACE_STORE_TOO_MANY', fatal: true });
  const other = await opened(t);
  await other.driven.until(2);
  other.driven.ackAll();
  other.place.loseInSync = true;
  await other.place.lose();
  await other.test.set('/a/b', text('2'), null);
  await other.driven.until(3);
  t.strictSame(other.driven.errors, []);
  t.equal(other.place.sessions.length, 3);
});

void t.test('data comes as the settings say, and what is not that is reported and left out', async (t) => {
  const json = await opened(t, { data: 'json' });
  await json.driven.settle();
  t.strictSame(json.driven.told, ['set /a/b 1']);
  t.equal(json.driven.emitted[0]!.values[2], 1);
  t.match(json.driven.errors, [{ code: 'MILLRACE_STORE_CONTENT', message: /"\/a" .*not JSON/ }]);
  await json.test.set('/a', text('{"now":"it is"}'), null);
  await json.driven.until(2);
  t.strictSame(json.driven.emitted[1]!.values[2], { now: 'it is' });
  const bytes = await opened(t, { data: 'bytes' });
  await bytes.driven.until(2);
  t.ok(bytes.driven.emitted[0]!.values[2] instanceof Uint8Array);
});

void t.test('a failing sync is tried again', async (t) => {
  const place = await Place.open();
  await place.test.create('/a', text('1'));
  place.faulty.faults.push({ method: 'sync', how: 'refuse', times: 2 });
  const driven = await Driven.open(place);
  await driven.until(1);
  t.strictSame(driven.told, ['set /a 1']);
  await driven.spout.close();
  t.equal(place.sessions[0]!.state, 'closed');
  await place.close();
});

void t.test('tasks of a thread share a session, closed with the last of them', async (t) => {
  const place = await Place.open();
  const clock = new VirtualClock();
  const spouts = ['/a', '/b'].map((path) => new ZookeeperChanges({ servers: 'zk:1', path }, place.internals(clock)));
  for (const spout of spouts) await spout.open(fakeContext({ clock }));
  await turns();
  t.equal(place.opened, 1);
  t.equal(place.sessions.length, 1);
  await spouts[0]!.close();
  await spouts[0]!.close();
  t.equal(place.sessions[0]!.state, 'connected');
  await spouts[1]!.close();
  t.equal(place.sessions[0]!.state, 'closed');
  const again = new ZookeeperChanges({ servers: 'zk:1' }, place.internals(clock));
  await again.open(fakeContext({ clock }));
  await turns();
  t.equal(place.sessions.length, 2);
  await again.close();
  await place.close();
});

void t.test('wrong settings are told', async (t) => {
  const cases: readonly (readonly [config: Readonly<Record<string, unknown>>, message: RegExp])[] = [
    [{}, /"servers".*must be a text/],
    [{ servers: 'a', path: 'b' }, /"path".*is no path/],
    [{ servers: 'a', users: ['secret'] }, /"users".*such as "user:password"/],
    [{ servers: 'a', data: 'xml' }, /"data"/],
    [{ servers: 'a', nodesMax: 0 }, /"nodesMax"/],
  ];
  for (const [config, message] of cases) {
    t.match(
      thrownBy(() => new ZookeeperChanges(config)),
      { code: 'MILLRACE_CONNECT_SETTING', message, fatal: true },
    );
  }
  const spout = new ZookeeperChanges({ servers: 'a' });
  await t.rejects(spout.open(fakeContext({ parallelism: 2 })), { message: /"parallelism".*must be 1, not 2/ });
  const wrong = new ZookeeperChanges({ servers: 'no host:x' });
  await t.rejects(wrong.open(fakeContext()), { code: 'MILLRACE_ZOOKEEPER_CONNECT_STRING' });
  const many = Array.from({ length: 17 }, (_, number) => `u${number}:p`);
  t.match(
    thrownBy(() => new ZookeeperChanges({ servers: 'a', users: many })),
    { message: /at most 16/ },
  );
  t.match(zookeeperChanges({ servers: 'a', users: 'u:p' }), { type: 'zookeeper-changes' });
});

void t.test('in a topology', async (t) => {
  const place = await Place.open();
  await place.test.create('/a', text('1'));
  const clock = new VirtualClock();
  const spout = defineSpout({
    type: 'zookeeper-changes',
    outputs: CHANGE_FIELDS,
    create: () => new ZookeeperChanges({ servers: 'zk:1', path: '/a', data: 'text' }, place.internals(clock)),
  });
  const followed = topology('followed', (b) => {
    const changes = b.spout('changes', spout);
    b.bolt('out', () => undefined).shuffle(changes);
  });
  const kit = await TestRun.start(followed);
  while (kit.executed('out').length < 1) await kit.settle();
  await place.test.set('/a', text('2'), null);
  while (kit.executed('out').length < 2) await kit.settle();
  t.match(kit.executed('out'), [
    ['/a', 'set', '1'],
    ['/a', 'set', '2', 1],
  ]);
  t.match(await kit.close(), { status: 'killed' });
  t.equal(place.sessions[0]!.state, 'closed', 'its session has ended with it');
  await place.close();
});
