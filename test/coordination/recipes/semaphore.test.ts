// Semaphores: never more leases than there are, in the order in which they were asked for, and nothing left behind. On
// virtual time.

import fc from 'fast-check';
import t from 'tap';
import { failure } from '../../../engine/errors.js';
import { Random } from '../../../engine/random.js';
import type { Holding } from '../../../coordination/recipes/holding.js';
import { Semaphore } from '../../../coordination/recipes/semaphore.js';
import { settle } from '../cluster.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow, Stepped, unlessExpired, wrapped } from './kit.js';

const path = '/limits/one';

void t.test('so many at a time, first come, first served', async (t) => {
  const scene = await Scene.open();
  const order: number[] = [];
  const asked: Promise<Holding>[] = [];
  const sessions = [];
  for (let i = 0; i < 5; i++) {
    const base = await scene.base();
    sessions.push(base.session);
    const asking = new Semaphore({ ...base, path, leases: 2 }).acquire();
    void asking.then(() => order.push(i));
    asked.push(asking);
    await settle();
  }
  t.strictSame(order, [0, 1]);
  const other = new Semaphore({ ...(await scene.base()), path, leases: 2 });
  t.equal(await other.tryAcquire(), null);
  const second = await asked[1]!;
  await second.release();
  await settle();
  t.strictSame(order, [0, 1, 2]);
  await sessions[0]!.close();
  await settle();
  t.strictSame(order, [0, 1, 2, 3]);
  t.ok((await asked[0]!).lost.aborted);
  const tokens = (await Promise.all(asked.slice(0, 4))).map(({ token }) => token);
  t.strictSame(
    tokens,
    tokens.toSorted((a, b) => Number(a - b)),
    'tokens grow',
  );
  for (const index of [2, 3, 4]) await (await asked[index]!).release();
  const taken = await other.tryAcquire();
  t.ok(taken);
  await taken?.act([{ type: 'create', path: '/x', data: text('') }]);
  await taken?.release();
  t.equal(await other.run(() => Promise.resolve(7)), 7);
  t.strictSame(await scene.everything(), ['/limits', '/x']);
});

void t.test('all who share it have the same number', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  for (const leases of [0, 1.5, 1001]) {
    t.throws(() => new Semaphore({ ...base, path, leases }), { code: 'MILLRACE_RECIPE_OPTION' });
  }
  const held = await new Semaphore({ ...base, path, leases: 2 }).acquire();
  const other = new Semaphore({ ...(await scene.base()), path, leases: 3 });
  await t.rejects(other.acquire(), {
    code: 'MILLRACE_RECIPE_DIFFERS',
    message: 'semaphore "/limits/one" has 2 leases, not 3',
  });
  await base.session.set(path, text('?'), null);
  await t.rejects(other.acquire(), { code: 'MILLRACE_STORE_CONTENT', message: /"\/limits\/one"/ });
  await held.release();
  await (await other.acquire()).release();
  await base.session.create(path, text(''));
  await (await other.acquire()).release();
  const again = await other.acquire();
  await base.session.delete(again.path, null);
  await settle();
  t.ok(again.lost.aborted);
  t.match(again.lost.reason, { code: 'MILLRACE_LOCK_LOST', message: /deleted/ });
});

void t.test('whichever call fails, a lease is got once, and nothing is left', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const other = await scene.base();
    const before = await new Semaphore({ ...other, path, leases: 1 }).acquire();
    const asked = new Semaphore({ ...base, path, leases: 1 }).acquire();
    asked.catch(() => undefined);
    await settle();
    await before.release();
    const getting = (async () => {
      const held = await asked;
      must(held.token > before.token, 'the token grows');
      await held.release();
    })();
    await unlessExpired(fault, scene.finish(getting));
    await scene.advance(5_000);
    const after = await scene.finish(new Semaphore({ ...other, path, leases: 1 }).acquire({ timeoutMs: 1_000 }));
    await after.release();
    const left = await scene.everything();
    must(left.join() === '/limits', `left behind: ${left.join()}`);
  });
  t.ok(runs > 50, `${runs} runs`);
});

void t.test('whenever it is given up, no directory stays behind', async (t) => {
  for (let at = 0; at < 20; at++) {
    const scene = await Scene.open();
    const giveUp = new AbortController();
    const stepped = new Stepped(scene, await scene.store.connect(), null, (step) => {
      if (step === at) giveUp.abort(new Error('enough'));
    });
    const semaphore = new Semaphore({ ...(await scene.base()), session: stepped.session, path, leases: 1 });
    const asking = semaphore.acquire({ signal: giveUp.signal }).then((held) => held.release());
    await asking.catch((error: unknown) => t.match(error, { message: 'enough' }));
    await scene.advance(5_000);
    const left = (await scene.everything()).filter((each) => each !== '/limits');
    t.strictSame(left, [], `given up at call ${at}`);
  }
});

void t.test('a passing error of the store as the reason to give up ends it', async (t) => {
  const scene = await Scene.open();
  const reason = failure('MILLRACE_STORE_UNAVAILABLE', { what: 'the work', reason: 'the test says so' });
  const giveUp = new AbortController();
  let transactions = 0;
  const base = await scene.base((session) =>
    wrapped(session, async (name, args, carryOut) => {
      if (name !== 'multi') return await carryOut(...args);
      giveUp.abort(reason);
      must(transactions++ < 10, 'it goes on');
      throw reason;
    }),
  );
  const asking = new Semaphore({ ...base, path, leases: 1 }).acquire({ signal: giveUp.signal });
  await t.rejects(asking, reason);
  t.equal(transactions, 1);
});

void t.test('whatever they do: never too many, everybody in turn, nothing left', async (t) => {
  const contender = fc.record({
    startMs: fc.nat(50),
    holdMs: fc.nat(40),
    giveUpMs: fc.option(fc.nat(200), { freq: 5 }),
    expireMs: fc.option(fc.nat(200), { freq: 5 }),
  });
  const plan = fc.record({
    seed: fc.integer(),
    faulty: fc.constantFrom(0, 0.1),
    leases: fc.integer({ min: 1, max: 3 }),
    contenders: fc.array(contender, { minLength: 2, maxLength: 7 }),
  });
  const property = fc.asyncProperty(plan, async ({ seed, faulty, leases, contenders }) => {
    const scene = await Scene.open();
    const random = new Random(seed);
    const holding = new Set<bigint>();
    const pause = (ms: number): Promise<void> => new Promise((resolve) => scene.clock.after(ms, resolve));
    const play = async ({ startMs, holdMs, giveUpMs, expireMs }: (typeof contenders)[number]): Promise<void> => {
      const real = await scene.store.connect();
      const base = { ...(await scene.base()), session: slow(scene, real, random, 20, faulty) };
      await pause(startMs);
      const giveUp = new AbortController();
      if (giveUpMs !== null) scene.clock.after(giveUpMs, () => giveUp.abort(new Error('gave up')));
      if (expireMs !== null) scene.clock.after(expireMs, () => void scene.store.expire(real.id));
      let held: Holding;
      try {
        held = await new Semaphore({ ...base, path, leases }).acquire({ signal: giveUp.signal });
      } catch (error) {
        must(giveUpMs !== null || expireMs !== null, `not served: ${String(error)}`);
        return;
      }
      if (held.lost.aborted) return;
      must(holding.size < leases, `${holding.size + 1} of ${leases}`);
      holding.add(held.token);
      held.lost.addEventListener('abort', () => holding.delete(held.token));
      await pause(holdMs);
      holding.delete(held.token);
      await held.release();
    };
    await scene.finish(Promise.all(contenders.map(play)));
    await scene.advance(30_000);
    // A session that ended takes no directory along, and a failing store may keep one.
    const mayStay = faulty > 0 || contenders.some(({ expireMs }) => expireMs !== null);
    const directories = mayStay ? /^\/limits(\/one(\/leases|\/line)?)?$/ : /^\/limits$/;
    const left = (await scene.everything()).filter((each) => !directories.test(each));
    must(left.length === 0, `left behind: ${left.join()}`);
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 100 });
  t.pass('100 runs');
});
