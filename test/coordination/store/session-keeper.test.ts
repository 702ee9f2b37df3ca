// What waits for a session of the keeper is answered, whatever becomes of the keeper.

import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { silentLogger } from '../../../engine/log.js';
import type { Session, Store } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { SessionKeeper } from '../../../coordination/store/session-keeper.js';

const nothing = async (): Promise<() => Promise<void>> => async () => undefined;
const never: Store['connect'] = async (options) =>
  await new Promise<Session>((_, reject) => {
    options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
  });

void t.test('who waits for a session when the keeper is closed is told, and so is who asks later', async (t) => {
  const keeper = new SessionKeeper({ store: { connect: never }, clock: new VirtualClock(), each: nothing });
  keeper.start();
  const waiting = keeper.current();
  const closed = { code: 'MILLRACE_STORE_UNAVAILABLE', message: /no session is kept any more/ };
  await Promise.all([t.rejects(waiting, closed), keeper.close()]);
  await t.rejects(keeper.current(), closed);

  const left = new SessionKeeper({ store: { connect: never }, clock: new VirtualClock(), each: nothing });
  left.start();
  left.leave(new Error('left'));
  await left.close();
  await t.rejects(left.current(), { message: 'left' });
});

void t.test('what went wrong before the last session is not the reason why there is none now', async (t) => {
  const clock = new VirtualClock();
  const store = await EmbeddedStore.open({ directory: null });
  t.teardown(() => store.close());
  const connects: Store['connect'][] = [
    async () => await Promise.reject(new Error('an old problem')),
    async (options) => await store.connect(options),
    never,
  ];
  const keeper = new SessionKeeper({
    store: { connect: async (options) => await connects.shift()!(options) },
    clock,
    each: nothing,
  });
  keeper.start();
  t.teardown(() => keeper.close());
  const nextTimer = async (): Promise<void> => {
    while (clock.nextDueMs() === undefined) await new Promise((resolve) => setImmediate(resolve));
    clock.step(clock.nextDueMs()!);
  };
  await nextTimer();
  const session = await keeper.current();
  await store.expire(session.id);
  await nextTimer();
  while (connects.length > 0) await new Promise((resolve) => setImmediate(resolve));
  const late = keeper.ready(10);
  clock.step(clock.now() + 10);
  await t.rejects(late, { code: 'MILLRACE_STORE_UNAVAILABLE', message: /no answer within 10 ms/ });
});

void t.test('what goes wrong again and again is told once, until something else does', async (t) => {
  const clock = new VirtualClock();
  const problems = ['away', 'away', 'away', 'refused', 'away'];
  const warned: string[] = [];
  const keeper = new SessionKeeper({
    store: { connect: async () => await Promise.reject(new Error(problems.shift() ?? 'away')) },
    clock,
    logger: { ...silentLogger, warn: (message) => void warned.push(message) },
    each: nothing,
  });
  keeper.start();
  while (problems.length > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.step(clock.nextDueMs() ?? 0);
  }
  await keeper.close();
  t.strictSame(
    warned.slice(0, 3).map((message) => message.split(': ')[1]),
    ['away', 'refused', 'away'],
  );
});
