// Queues of commands: each is carried out once, in order, by one worker, and is free again when its worker is gone. On
// virtual time.

import fc from 'fast-check';
import t from 'tap';
import { COMMANDS_MAX } from '../../../engine/limits.js';
import { Random } from '../../../engine/random.js';
import { CommandQueue, type Command } from '../../../coordination/recipes/command-queue.js';
import { operationOf } from '../../../coordination/store/store-errors.js';
import { settle } from '../cluster.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow, Troubled, unlessExpired, type Base } from './kit.js';

const path = '/commands';
const isCommand = (value: unknown): value is number => typeof value === 'number';
const queueOf = (base: Base): CommandQueue<number> => new CommandQueue({ ...base, path, isCommand });

/** What is left but for the directories. */
async function left(scene: Scene): Promise<readonly string[]> {
  return (await scene.everything()).filter((each) => !/^\/commands(\/(items|taken|line|putters))?$|^\/done/.test(each));
}

void t.test('commands are taken in their order, each by one, and are gone when they are done', async (t) => {
  const scene = await Scene.open();
  const [one, two] = [await scene.base(), await scene.base()];
  const [a, b] = [queueOf(one), queueOf(two)];
  t.equal(await a.tryTake(), null);
  const waiting = b.take();
  await settle();
  const id = await a.put(1);
  const first = await waiting;
  t.match(first, { id, value: 1, attempt: 1 });
  for (const value of [2, 3, 4]) await a.put(value);
  const [second, third] = [await a.take(), await b.take()];
  t.strictSame([second.value, third.value], [2, 3]);
  t.ok(third.token > second.token);
  t.strictSame(await a.size(), { commands: 4, taken: 3 });
  await second.giveBack();
  const again = await b.take();
  t.match(again, { value: 2, attempt: 2 }, 'at its old place');
  t.match(await first.complete([{ type: 'create', path: '/done', data: text('') }]), [{ path: '/done' }]);
  await t.rejects(first.complete(), { code: 'MILLRACE_LOCK_LOST' });
  await t.rejects(first.act([]), { code: 'MILLRACE_LOCK_LOST' });
  const refused: unknown = await third
    .complete([{ type: 'create', path: '/done', data: text('') }])
    .catch((error: unknown) => error);
  t.match(refused, { code: 'MILLRACE_STORE_NODE_EXISTS' });
  t.equal(operationOf(refused), 0);
  t.notOk(third.lost.aborted, 'it is still held');
  await scene.store.expire(two.session.id);
  t.ok(third.lost.aborted);
  const rest = [await a.take(), await a.take(), await a.take()];
  t.strictSame(
    rest.map(({ value, attempt }) => [value, attempt]),
    [
      [2, 3],
      [3, 2],
      [4, 1],
    ],
  );
  t.ok(rest[1]!.token > third.token);
  for (const each of rest) await each.complete();
  await a.close();
  t.strictSame(await left(scene), []);
});

void t.test('what somebody meddled with: nonsense stays, and who held it is fenced off', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const other = await scene.base();
  const queue = new CommandQueue({ ...base, logger: scene.logger, path, isCommand });
  await queue.put(1);
  await queue.put(2);
  const [bad] = await other.session.children('/commands/items');
  await other.session.set(`/commands/items/${bad}`, text('{'), null);
  const second = await queue.take();
  t.equal(second.value, 2);
  t.equal(await queue.tryTake(), null);
  t.equal(scene.logged.filter((line) => line.includes(`/commands/items/${bad}`)).length, 1, 'said once');
  await other.session.delete(second.path, null);
  const again = await queueOf(other).take();
  t.match(again, { value: 2, attempt: 2 });
  await t.rejects(second.complete(), { code: 'MILLRACE_LOCK_LOST' });
  await t.rejects(second.act([{ type: 'create', path: '/x', data: text('') }]), { code: 'MILLRACE_LOCK_LOST' });
  await again.complete();
  await other.session.set(`/commands/items/${bad}`, text('7'), null);
  t.equal((await queue.take()).value, 7, 'what was put right is a command again');
});

void t.test('a queue is bounded, also when many put at once', async (t) => {
  const scene = await Scene.open();
  const queues = [queueOf(await scene.base()), queueOf(await scene.base())];
  for (let i = 0; i < COMMANDS_MAX - 1; i++) await queues[0]!.put(i);
  const both = await Promise.allSettled(queues.map((queue) => queue.put(7)));
  t.strictSame(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  await t.rejects(queues[0]!.put(8), {
    code: 'MILLRACE_RECIPE_TOO_MANY',
    message: 'queue "/commands" is full: 1000 are the limit',
  });
  t.strictSame(await queues[0]!.size(), { commands: COMMANDS_MAX, taken: 0 });
  await (await queues[1]!.take()).complete();
  await queues[0]!.put(8);
  await t.rejects(
    scene.finish(queueOf(await scene.base()).take({ timeoutMs: 0, signal: AbortSignal.abort(new Error('no')) })),
    {
      message: 'no',
    },
  );
});

void t.test('while it is not known whether a command was completed, nobody else gets it', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const troubled = new Troubled(base.session, 4_000);
  const [a, b] = [queueOf({ ...base, session: troubled.session }), queueOf(await scene.base())];
  await b.put(1);
  const command = await a.take();
  troubled.multi = 'gets lost';
  troubled.blind = true;
  const completing = command.complete([{ type: 'create', path: '/done', data: text('') }], { timeoutMs: Infinity });
  completing.catch(() => undefined);
  const givenBack = command.giveBack();
  await scene.advance(3_000);
  t.match(command.lost.reason, { code: 'MILLRACE_LOCK_LOST', message: /not answered/ });
  t.equal(await b.tryTake(), null);
  troubled.blind = false;
  await t.rejects(scene.finish(completing), { code: 'MILLRACE_LOCK_LOST' });
  await scene.finish(givenBack);
  t.notOk((await scene.everything()).includes('/done'));
  await (await b.take()).complete();
  await b.close();
  t.strictSame(await left(scene), []);
});

void t.test('a command that was completed is not lost, though the answer was', async (t) => {
  const scene = await Scene.open();
  const [base, other] = [await scene.base(), await scene.base()];
  const troubled = new Troubled(base.session);
  const queue = queueOf({ ...base, session: troubled.session });
  for (const value of [1, 2]) await queueOf(other).put(value);
  const [first, second] = [await queue.take(), await queue.take()];
  troubled.multi = 'loses the answer';
  troubled.blind = true;
  const completing = first.complete();
  await scene.advance(500);
  await t.rejects(first.act([]), { code: 'MILLRACE_LOCK_LOST' });
  troubled.blind = false;
  t.strictSame(await scene.finish(completing), []);
  await settle();
  t.notOk(first.lost.aborted);
  // What somebody else deleted is.
  troubled.multi = 'gets lost';
  troubled.blind = true;
  const failing = second.complete();
  failing.catch(() => undefined);
  await other.session.delete(second.path, null);
  const again = await queueOf(other).take();
  await scene.advance(500);
  t.notOk(second.lost.aborted, 'it is not known yet');
  troubled.blind = false;
  troubled.multi = 'works';
  await t.rejects(scene.finish(failing), { code: 'MILLRACE_LOCK_LOST' });
  t.ok(second.lost.aborted);
  await scene.advance(5_000);
  t.notOk(again.lost.aborted, 'and is left to whom it belongs now');
  await again.complete();
});

void t.test('whichever call fails, a command is carried out once', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const other = queueOf(await scene.base());
    const queue = queueOf(base);
    let put = false;
    const working = async (): Promise<void> => {
      await queue.put(1);
      put = true;
      const command = await queue.take();
      must(command.value === 1, 'the command that was put');
      await command.complete([{ type: 'create', path: '/done', data: text('') }]);
    };
    const done = await unlessExpired(fault, scene.finish(working()));
    await scene.finish(queue.close());
    await scene.advance(5_000);
    const rest: Command<number>[] = [];
    for (;;) {
      const command = await other.tryTake();
      if (command === null) break;
      rest.push(command);
      await command.complete();
    }
    const isDone = (await scene.everything()).includes('/done');
    if (done) must(rest.length === 0 && isDone, `done, and ${rest.length} left`);
    else
      must(rest.length + Number(isDone) === 1 || (!put && rest.length === 0), `${rest.length} left, done: ${isDone}`);
    must((await left(scene)).length === 0, 'nothing is left');
  });
  t.ok(runs > 100, `${runs} runs`);
});

void t.test('whatever workers do: every command is done once, by whom its last taking says', async (t) => {
  const worker = fc.record({
    workMs: fc.nat(40),
    giveBack: fc.constantFrom(0, 0.3),
    expireMs: fc.option(fc.nat(400), { freq: 2 }),
  });
  const plan = fc.record({
    seed: fc.integer(),
    faulty: fc.constantFrom(0, 0.1),
    workers: fc.array(worker, { minLength: 1, maxLength: 4 }),
    commands: fc.integer({ min: 1, max: 8 }),
  });
  const property = fc.asyncProperty(plan, async ({ seed, faulty, workers, commands }) => {
    const scene = await Scene.open();
    const random = new Random(seed);
    const slowly = async (): Promise<Base> => {
      const session = slow(scene, await scene.store.connect(), random, 15, faulty);
      return { ...(await scene.base()), session };
    };
    const stop = new AbortController();
    const held = new Set<number>();
    const play = async ({ workMs, giveBack, expireMs }: (typeof workers)[number], mayEnd: boolean): Promise<void> => {
      const base = await slowly();
      const queue = queueOf(base);
      if (mayEnd && expireMs !== null) scene.clock.after(expireMs, () => void scene.store.expire(base.session.id));
      while (!stop.signal.aborted && !base.session.ended.aborted) {
        try {
          const command = await queue.take({ timeoutMs: Infinity, signal: stop.signal });
          if (command.lost.aborted) continue;
          must(!held.has(command.value), 'two work on one command');
          held.add(command.value);
          command.lost.addEventListener('abort', () => held.delete(command.value));
          await new Promise<void>((resolve) => scene.clock.after(workMs, resolve));
          held.delete(command.value);
          if (random.nextFloat() < giveBack) {
            await command.giveBack();
          } else {
            const create = { type: 'create', path: `/done${command.value}`, data: text('') } as const;
            await command.complete([create], { signal: stop.signal });
          }
        } catch (error) {
          if (!stop.signal.aborted && !base.session.ended.aborted) throw error;
        }
      }
    };
    const [base, ...rest] = [await slowly()];
    must(rest.length === 0, 'one who puts');
    const putting = (async () => {
      const queue = queueOf(base);
      await Promise.all(Array.from({ length: commands }, (_, value) => queue.put(value)));
      await queue.close();
    })();
    const working = Promise.all(workers.map((each, index) => play(each, index > 0)));
    await scene.finish(putting);
    const ended = async (): Promise<void> => {
      const looking = await scene.base();
      for (;;) {
        const done = (await looking.session.children('/')).filter((name) => name.startsWith('done')).length;
        if (done === commands) return;
        await new Promise<void>((resolve) => scene.clock.after(100, resolve));
      }
    };
    await scene.finish(ended());
    await scene.advance(1_000);
    stop.abort(new Error('enough'));
    await scene.finish(working);
    await scene.advance(10_000);
    const remains = await left(scene);
    must(remains.length === 0, `left behind: ${remains.join()}`);
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 60 });
  t.pass('60 runs');
});
