// Locks and read-write locks: nobody holds what another holds, whoever waits is served in order, and nothing is left
// behind, whichever call fails and whenever a session ends. On virtual time.

import fc from 'fast-check';
import t from 'tap';
import type { Clock } from '../../../engine/clock.js';
import { DURATION_MAX_MS, LINE_MAX } from '../../../engine/limits.js';
import { Random } from '../../../engine/random.js';
import type { Holding } from '../../../coordination/recipes/holding.js';
import { Lock } from '../../../coordination/recipes/lock.js';
import { ReadWriteLock } from '../../../coordination/recipes/read-write-lock.js';
import { aborted } from '../../../coordination/store/signals.js';
import { isPassing } from '../../../coordination/store/store-errors.js';
import { settle } from '../cluster.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow, Stepped, Troubled, unlessExpired, wrapped, type Base } from './kit.js';

const path = '/locks/one';

/** Says in which order promises are settled. */
function noted(order: string[], name: string, promise: Promise<Holding>): Promise<Holding> {
  void promise.then(
    () => order.push(name),
    () => undefined,
  );
  return promise;
}

void t.test('first come, first served, with a token that grows', async (t) => {
  const scene = await Scene.open();
  const bases = [await scene.base(), await scene.base(), await scene.base()];
  const order: string[] = [];
  const asked = [];
  for (const [index, base] of bases.entries()) {
    asked.push(noted(order, 'abc'[index]!, new Lock({ ...base, path }).acquire()));
    await settle();
  }
  t.strictSame(order, ['a']);
  const a = await asked[0]!;
  await a.release();
  await a.release();
  await settle();
  t.strictSame(order, ['a', 'b']);
  const b = await asked[1]!;
  t.ok(b.token > a.token);
  t.notOk(a.lost.aborted, 'what was given back is not lost');
  await bases[1]!.session.close();
  const c = await asked[2]!;
  t.ok(b.lost.aborted);
  t.match(b.lost.reason, { code: 'MILLRACE_LOCK_LOST' });
  t.ok(c.token > b.token);
  await c.release();
  t.strictSame(await scene.everything(), ['/locks']);
});

void t.test('what is written while it is held, and not after', async (t) => {
  const scene = await Scene.open();
  const [one, two] = [await scene.base(), await scene.base()];
  const held = await new Lock({ ...one, path }).acquire();
  const create = (data: string) => [{ type: 'create', path: `/${data}`, data: text(data) }] as const;
  t.match(await held.act(create('one')), [{ type: 'create', path: '/one' }]);
  await t.rejects(held.act(create('one')), { code: 'MILLRACE_STORE_NODE_EXISTS' });
  const deleting = two.session.delete(held.path, null);
  await t.rejects(held.act(create('two')), { code: 'MILLRACE_LOCK_LOST', message: /deleted/ });
  await deleting;
  t.ok(held.lost.aborted);
  const again = await new Lock({ ...one, path }).acquire();
  await again.release();
  await t.rejects(again.act(create('three')), { code: 'MILLRACE_LOCK_LOST', message: /released/ });
  t.strictSame(await scene.everything(), ['/locks', '/one']);
});

void t.test('waits end by their time, by their caller and with their session, and leave nothing', async (t) => {
  const scene = await Scene.open();
  const [one, two, three] = [await scene.base(), await scene.base(), await scene.base()];
  const first = new Lock({ ...one, path });
  const second = new Lock({ ...two, path });
  const held = await first.acquire();
  t.equal(await second.tryAcquire(), null);
  await t.rejects(scene.finish(second.acquire({ timeoutMs: 500 })), {
    code: 'MILLRACE_RECIPE_TIMEOUT',
    message: 'lock "/locks/one" was not to be had within 500 ms',
  });
  const giveUp = new AbortController();
  const givenUp = t.rejects(second.acquire({ signal: giveUp.signal }), { message: 'enough' });
  await settle();
  giveUp.abort(new Error('enough'));
  await givenUp;
  await t.rejects(second.acquire({ signal: giveUp.signal }), { message: 'enough' });
  const ends = t.rejects(new Lock({ ...three, path }).acquire(), { code: 'MILLRACE_STORE_SESSION_LOST' });
  await settle();
  await scene.store.expire(three.session.id);
  await ends;
  await scene.advance(100);
  t.strictSame(await scene.everything(), ['/locks', path, held.path]);
  await t.rejects(
    scene.finish(first.run(() => Promise.resolve(), { timeoutMs: 100 })),
    { code: 'MILLRACE_RECIPE_TIMEOUT' },
    'who holds it and asks again waits for himself',
  );
  await held.release();
  t.equal(await second.run((own) => Promise.resolve(typeof own.token)), 'bigint');
  await t.rejects(
    second.run(() => Promise.reject(new Error('of the work'))),
    { message: 'of the work' },
  );
  const taken = await second.tryAcquire();
  t.ok(taken);
  await taken?.release();
  t.strictSame(await scene.everything(), ['/locks']);
});

void t.test('a wait that is longer than timers can be is a wait', async (t) => {
  const scene = await Scene.open();
  const [one, two] = [await scene.base(), await scene.base()];
  const held = await new Lock({ ...one, path }).acquire();
  // As the machine's clock does it.
  const after: Clock['after'] = (ms, call) => scene.clock.after(ms > DURATION_MAX_MS ? 1 : ms, call);
  const clock = { now: () => scene.clock.now(), after };
  const asked = new Lock({ ...two, clock, path }).acquire({ timeoutMs: Number.MAX_SAFE_INTEGER });
  asked.catch(() => undefined);
  await scene.advance(60_000);
  await held.release();
  await (await asked).release();
  t.strictSame(await scene.everything(), ['/locks']);
});

void t.test('whenever it is given up, no directory stays behind', async (t) => {
  for (let at = 0; at < 12; at++) {
    const scene = await Scene.open();
    const giveUp = new AbortController();
    const stepped = new Stepped(scene, await scene.store.connect(), null, (step) => {
      if (step === at) giveUp.abort(new Error('enough'));
    });
    const lock = new Lock({ ...(await scene.base()), session: stepped.session, path });
    const asking = lock.acquire({ signal: giveUp.signal }).then((held) => held.release());
    await asking.catch((error: unknown) => t.match(error, { message: 'enough' }));
    await scene.advance(5_000);
    const left = (await scene.everything()).filter((each) => each !== '/locks');
    t.strictSame(left, [], `given up at call ${at}`);
  }
});

void t.test('so many may wait and no more', async (t) => {
  const scene = await Scene.open();
  const [one, two] = [await scene.base(), await scene.base()];
  await one.session.create('/locks', text(''));
  await one.session.create(path, text(''));
  const line = Array.from({ length: LINE_MAX }, () =>
    one.session.create(`${path}/w_`, text(''), 'ephemeral-sequential'),
  );
  await Promise.all(line);
  await t.rejects(new Lock({ ...two, path }).acquire(), {
    code: 'MILLRACE_RECIPE_TOO_MANY',
    message: 'lock "/locks/one" is full: 1000 are the limit',
  });
  t.equal((await one.session.children(path)).length, LINE_MAX);
});

void t.test('readers together, a writer alone, and nobody overtakes a writer who waits', async (t) => {
  const scene = await Scene.open();
  const order: string[] = [];
  const asked = new Map<string, Promise<Holding>>();
  for (const name of ['r1', 'r2', 'w1', 'r3', 'r4', 'w2']) {
    const lock = new ReadWriteLock({ ...(await scene.base()), path });
    asked.set(name, noted(order, name, (name.startsWith('r') ? lock.read : lock.write).acquire()));
    await settle();
  }
  const giveBack = async (...names: readonly string[]): Promise<string> => {
    for (const name of names) await (await asked.get(name)!).release();
    await settle();
    return order.join(' ');
  };
  t.equal(order.join(' '), 'r1 r2');
  const lock = new ReadWriteLock({ ...(await scene.base()), path });
  t.equal(await lock.read.tryAcquire(), null, 'behind a writer who waits');
  t.equal(await lock.write.tryAcquire(), null);
  t.equal(await giveBack('r2'), 'r1 r2');
  t.equal(await giveBack('r1'), 'r1 r2 w1');
  t.equal(await giveBack('w1'), 'r1 r2 w1 r3 r4');
  t.equal(await giveBack('r3', 'r4'), 'r1 r2 w1 r3 r4 w2');
  const plain = new Lock({ ...(await scene.base()), path });
  t.equal(await plain.tryAcquire(), null, 'a lock is the writing side');
  await giveBack('w2');
  t.equal(await plain.run(() => Promise.resolve(3)), 3);
  t.equal(await lock.read.run(() => lock.read.run(() => Promise.resolve(4))), 4);
  t.strictSame(await scene.everything(), ['/locks']);
});

void t.test('whichever call fails, it is got once, and nothing is left', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const other = await scene.base();
    const before = await new Lock({ ...other, path }).acquire();
    const getting = scene.finish(
      (async () => {
        const asked = new Lock({ ...base, path }).acquire();
        asked.catch(() => undefined);
        await settle();
        await before.release();
        const held = await asked;
        must(held.token > before.token, 'the token grows');
        await held.act([{ type: 'create', path: '/done', data: text('') }]).catch((error: unknown) => {
          if (!isPassing(error)) throw error;
        });
        await held.release();
      })(),
    );
    await unlessExpired(fault, getting);
    await scene.advance(5_000);
    const after = await scene.finish(new Lock({ ...other, path }).acquire({ timeoutMs: 1_000 }));
    await after.release();
    const left = (await scene.everything()).filter((each) => each !== '/done');
    must(left.join() === '/locks', `left behind: ${left.join()}`);
  });
  t.ok(runs > 50, `${runs} runs`);
});

void t.test('without proof for half of the timeout, the holder stops before its session can be lost', async (t) => {
  const scene = await Scene.open();
  let silent = false;
  const base = await scene.base((session) =>
    wrapped(
      session,
      async (name, args, carryOut) => {
        if (silent && name === 'multi') return await new Promise(() => undefined);
        return await carryOut(...args);
      },
      4_000,
    ),
  );
  const other = await scene.base();
  const held = await new Lock({ ...base, path }).acquire();
  const second = await new Lock({ ...base, path: '/locks/two' }).acquire();
  await scene.advance(60_000);
  t.notOk(held.lost.aborted, 'proofs go on');
  await second.release();
  await scene.advance(10_000);
  t.notOk(held.lost.aborted, 'also when another is given back');
  silent = true;
  await scene.advance(1_400);
  t.notOk(held.lost.aborted);
  await scene.advance(700);
  t.ok(held.lost.aborted);
  t.match(held.lost.reason, { message: /not answered/ });
  t.equal(base.session.state, 'connected');
  await scene.finish(new Lock({ ...other, path }).acquire({ timeoutMs: 1_000 }));
});

void t.test('who lost the lock for silence has it until the work has ended, or gives it back', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const troubled = new Troubled(base.session, 4_000);
  const other = new Lock({ ...(await scene.base()), path });
  for (const giveBack of [false, true]) {
    const ending = new AbortController();
    let lost: AbortSignal | null = null;
    troubled.multi = 'works';
    const running = new Lock({ ...base, session: troubled.session, path }).run(async (held) => {
      lost = held.lost;
      await aborted(ending.signal);
      if (giveBack) await held.release();
    });
    await settle();
    troubled.multi = 'gets lost';
    await scene.advance(5_000);
    t.match(lost, { aborted: true });
    t.equal(await other.tryAcquire(), null);
    ending.abort();
    await scene.finish(running);
    await (await other.acquire()).release();
  }
});

void t.test('one who waited long has its session proved before it holds', async (t) => {
  const scene = await Scene.open();
  const calls: string[] = [];
  const base = await scene.base((session) =>
    wrapped(
      session,
      async (name, args, carryOut) => {
        calls.push(name);
        return await carryOut(...args);
      },
      4_000,
    ),
  );
  const before = await new Lock({ ...(await scene.base()), path }).acquire();
  const asked = new Lock({ ...base, path }).acquire();
  await scene.advance(30_000);
  t.notOk(calls.includes('multi'));
  await before.release();
  const held = await asked;
  t.ok(calls.includes('multi'));
  t.notOk(held.lost.aborted);
  await held.act([]);
  await held.release();
});

interface Claim {
  readonly mode: 'read' | 'write';
  readonly token: bigint;
}

void t.test('whatever they do and however slow they are: never two, everybody in turn, nothing left', async (t) => {
  const plan = fc.record({
    seed: fc.integer(),
    faulty: fc.constantFrom(0, 0.1),
    contenders: fc.array(
      fc.record({
        mode: fc.constantFrom('read' as const, 'write' as const, 'write' as const),
        startMs: fc.nat(50),
        holdMs: fc.nat(40),
        /** Gives up, or loses its session, so long after its start. */
        giveUpMs: fc.option(fc.nat(200), { freq: 5 }),
        expireMs: fc.option(fc.nat(200), { freq: 5 }),
      }),
      { minLength: 2, maxLength: 7 },
    ),
  });
  const property = fc.asyncProperty(plan, async ({ seed, faulty, contenders }) => {
    const scene = await Scene.open();
    const random = new Random(seed);
    const holding = new Set<Claim>();
    const writers: bigint[] = [];
    const play = async ({ mode, startMs, holdMs, giveUpMs, expireMs }: (typeof contenders)[number]): Promise<void> => {
      const real = await scene.store.connect();
      const base: Base = { ...(await scene.base()), session: slow(scene, real, random, 20, faulty) };
      const pause = (ms: number): Promise<void> => new Promise((resolve) => scene.clock.after(ms, resolve));
      await pause(startMs);
      const giveUp = new AbortController();
      if (giveUpMs !== null) scene.clock.after(giveUpMs, () => giveUp.abort(new Error('gave up')));
      if (expireMs !== null) scene.clock.after(expireMs, () => void scene.store.expire(real.id));
      const lock = new ReadWriteLock({ ...base, path });
      let held: Holding;
      try {
        held = await lock[mode].acquire({ signal: giveUp.signal });
      } catch (error) {
        must(giveUpMs !== null || expireMs !== null, `not served: ${String(error)}`);
        return;
      }
      if (held.lost.aborted) return;
      const claim: Claim = { mode, token: held.token };
      for (const other of holding) {
        must(mode === 'read' && other.mode === 'read', `${mode} beside ${other.mode}`);
      }
      if (mode === 'write') {
        must(
          writers.every((token) => token < held.token),
          'a token that is not the highest',
        );
        writers.push(held.token);
      }
      holding.add(claim);
      held.lost.addEventListener('abort', () => holding.delete(claim));
      await pause(holdMs);
      holding.delete(claim);
      await held.release();
    };
    await scene.finish(Promise.all(contenders.map(play)));
    await scene.advance(30_000);
    // A session that ended takes no directory along, and a failing store may keep one.
    const mayStay = faulty > 0 || contenders.some(({ expireMs }) => expireMs !== null);
    const left = (await scene.everything()).filter((each) => each !== '/locks' && !(mayStay && each === path));
    must(left.length === 0, `left behind: ${left.join()}`);
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 150 });
  t.pass('150 runs');
});
