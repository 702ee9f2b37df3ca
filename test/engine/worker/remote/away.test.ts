// A pool over hosts that come and go: one that is needed and not there is told of, again and again, until it is; one
// that has no worker any more is forgotten. On virtual time.

import { MessageChannel } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { runtimeLimits } from '../../../../engine/limits.js';
import { defaultConfig } from '../../../../engine/model/config.js';
import type { WorkerInit } from '../../../../engine/worker/messages.js';
import { Door } from '../../../../engine/worker/remote/door.js';
import { Member } from '../../../../engine/worker/remote/member.js';
import { ProcessPool } from '../../../../engine/worker/remote/process-pool.js';

const AWAY_MS = 5_000;
const COMING_MS = 8_000;
const reach = { host: '127.0.0.1', ports: null, secret: '', tls: null };
const source = { kind: 'document', document: null, settings: {} } as const;

async function poolOf(t: Test, places: readonly string[]) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const door = new Door({ ...reach, clock });
  const address = await door.listen();
  const pool = new ProcessPool({
    ...{ lead: 'a', places, workersMax: null, members: null, slots: 2, door, run: 'r 1', reach, clock },
    ...{ config: defaultConfig, hash: 'h', say: () => undefined, awayMs: AWAY_MS, comingMs: COMING_MS },
    onAway: (member, isAway) => told.push(`${member} ${isAway ? 'away' : 'there'}`),
    onDestroyed: () => told.push('destroyed'),
  });
  t.teardown(async () => {
    await pool.destroy();
    door.close();
  });
  const join = (name: string) => {
    const ending = new AbortController();
    const options = { name, slots: 1, lead: address, run: 'r 1', reach, source, hash: 'h', clock };
    const served = new Member({ ...options, say: () => undefined, signal: ending.signal }).serve();
    served.catch(() => undefined);
    return { served, end: () => ending.abort(new Error('ended by the test')) };
  };
  const pass = async (ms: number): Promise<void> => {
    const untilMs = clock.now() + ms;
    while (clock.step(untilMs));
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  };
  return { pool, told, join, pass, until };
}

/** The init of a worker, as far as a pool looks at it. */
function initOf(worker: number): WorkerInit {
  const { port2 } = new MessageChannel();
  return {
    ...{ worker, control: port2, instrument: null, limits: runtimeLimits, peers: [], source, counters: [], tcp: null },
    ...{ backlog: new SharedArrayBuffer(4), pulse: new SharedArrayBuffer(64), description: { config: defaultConfig } },
  } as unknown as WorkerInit;
}

t.test('a host that never comes is told of, until it does', async (t) => {
  const { pool, told, join, pass, until } = await poolOf(t, ['a', 'b']);
  const handle = pool.start(initOf(1), []);
  await pass(COMING_MS - 1);
  t.strictSame(told, []);
  await pass(1);
  await pass(AWAY_MS);
  t.strictSame(told, ['b away', 'b away'], 'said again as long as it is so');
  const member = join('b');
  await until(() => told.length > 2);
  t.strictSame(told.slice(2), ['b there']);
  await handle.kill();
  member.end();
  await member.served.catch(() => undefined);
});

t.test('who has no place may not join, and has one as soon as it is given', async (t) => {
  const { pool, join, until, told } = await poolOf(t, ['a', 'a']);
  await t.rejects(join('b').served, { code: 'MILLRACE_MEMBER_UNKNOWN' });
  t.strictSame(pool.place(['a', 'b']), [1], 'the worker that is elsewhere');
  t.strictSame(pool.place(['a', 'b']), [1], 'it has not moved yet');
  t.equal(pool.linkKind(0, 1), 'ports');
  pool.enter(1);
  t.strictSame(pool.place(['a', 'b', 'b']), [], 'a worker that is new moves from nowhere');
  pool.enter(2);
  t.equal(pool.linkKind(0, 1), 'tcp');
  t.equal(pool.linkKind(1, 2), 'beside');
  const member = join('b');
  await until(() => told.includes('b there'));
  member.end();
  await member.served.catch(() => undefined);
});

t.test('one that is lost and has no worker any more is not waited for', async (t) => {
  const { pool, told, join, pass, until } = await poolOf(t, ['a', 'b']);
  const member = join('b');
  await until(() => told.length > 0);
  pool.place(['a', 'a']);
  pool.enter(1);
  member.end();
  await member.served.catch(() => undefined);
  await pass(3 * AWAY_MS);
  t.strictSame(told, ['b there']);
});

t.test('one whose worker was moved while it was away is not told of any more', async (t) => {
  const { pool, told, join, pass, until } = await poolOf(t, ['a', 'b']);
  const member = join('b');
  await until(() => told.length > 0);
  const handle = pool.start(initOf(1), []);
  member.end();
  await member.served.catch(() => undefined);
  t.match(await handle.ended, /was lost/);
  const waiting = pool.start(initOf(1), []);
  await pass(AWAY_MS - 1);
  t.strictSame(told, ['b there']);
  await pass(1);
  t.strictSame(told, ['b there', 'b away'], 'sooner than one that never came');
  t.strictSame(pool.place(['a', 'c']), [1]);
  await waiting.kill();
  pool.enter(1);
  await pass(3 * AWAY_MS);
  t.strictSame(told, ['b there', 'b away'], 'nobody looks for it');
});

t.test('a worker that is about to end is not left where nobody is', async (t) => {
  const { pool, told, join, until } = await poolOf(t, ['a', 'b', 'c']);
  join('c');
  await until(() => told.includes('c there'));
  t.strictSame(pool.place(['a']), [1], 'the one whose host is there stays until it ends');
  pool.enter(1);
  t.strictSame(pool.place(['a']), [], 'the lead has it until then');
  t.equal(pool.linkKind(0, 1), 'ports');
});

t.test('of two hosts that do not reach each other one is away, though the lead reaches both', async (t) => {
  const { pool, told } = await poolOf(t, ['a', 'b', 'c', 'c']);
  for (const [first, second] of [
    [0, 1],
    [1, 0],
    [2, 3],
    [3, 2],
    [1, 2],
  ] as const) {
    pool.linkLost(first, second);
  }
  t.strictSame(told, [], 'with the lead, within a host, and once: that says nothing');
  pool.linkLost(3, 1);
  t.strictSame(told, ['c away']);
});
