// Groups: who is there and what each says, over lost answers, ghosts of earlier sessions and hands that meddle. On
// virtual time.

import fc from 'fast-check';
import t from 'tap';
import { failure } from '../../../engine/errors.js';
import { GROUP_MEMBERS_MAX, MEMBER_DATA_BYTES_MAX } from '../../../engine/limits.js';
import { Random } from '../../../engine/random.js';
import { Membership } from '../../../coordination/recipes/group.js';
import { Members, type Member } from '../../../coordination/recipes/members.js';
import type { Session, Subscription } from '../../../coordination/store/contract.js';
import { settle } from '../cluster.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow, unlessExpired, wrapped } from './kit.js';

const path = '/services/mail';
type Data = { readonly port: number };
const isData = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Data>).port === 'number';
const shown = (members: readonly Member<Data>[]): string =>
  members.map(({ name, boot, data }) => `${name}~${boot}:${data.port}`).join(' ');

void t.test('who joins is seen, with what it says, until it leaves or its session ends', async (t) => {
  const scene = await Scene.open();
  const seen: string[] = [];
  const watching = await scene.base();
  const members = new Members({ ...watching, path, isData, changed: (all) => seen.push(shown(all)) });
  await members.ready;
  t.strictSame(members.list, []);
  const [one, two] = [await scene.base(), await scene.base()];
  const a = new Membership({ ...one, path, name: 'a', boot: '1', data: { port: 1 } });
  t.equal(a.token, null);
  await a.join();
  const b = new Membership({ ...two, path, name: 'b', data: { port: 2 } });
  await b.join();
  await a.update({ port: 3 });
  await settle();
  t.match(shown(members.list), /^a~1:3 b~i\d+:2$/);
  t.equal(members.list[0]?.token, a.token);
  t.notOk(a.lost.aborted);
  await a.leave();
  t.notOk(a.lost.aborted, 'who left is not lost');
  await t.rejects(a.update({ port: 4 }), { code: 'MILLRACE_STORE_CLOSED' });
  await scene.store.expire(two.session.id);
  t.ok(b.lost.aborted);
  t.match(b.lost.reason, { code: 'MILLRACE_STORE_SESSION_LOST' });
  await t.rejects(b.update({ port: 4 }), { code: 'MILLRACE_STORE_SESSION_LOST' });
  await settle();
  t.equal(shown(members.list), '');
  members.close();
  const late = new Members({ ...watching, path, isData });
  await watching.session.close();
  await t.rejects(late.ready, { code: 'MILLRACE_STORE_CLOSED' });
  t.strictSame(await scene.everything(), ['/services', path]);
});

void t.test('a new session takes over from the one that is about to end, and a new life from its ghost', async (t) => {
  const scene = await Scene.open();
  const watching = await scene.base();
  const seen: string[] = [];
  const members = new Members({ ...watching, path, isData, changed: (all) => seen.push(shown(all)) });
  await members.ready;
  const [old, now, next] = [await scene.base(), await scene.base(), await scene.base()];
  await new Membership({ ...old, path, name: 'a', boot: '1', data: { port: 1 } }).join();
  await settle();
  const again = new Membership({ ...now, path, name: 'a', boot: '1', data: { port: 2 } });
  await again.join();
  await old.session.close();
  await settle();
  t.equal(shown(members.list), 'a~1:2');
  t.notOk(seen.slice(seen.indexOf('a~1:1')).includes(''), 'nobody saw it gone');
  const reborn = new Membership({ ...next, path, name: 'a', boot: '2', data: { port: 3 } });
  await reborn.join();
  await settle();
  t.equal(shown(members.list), 'a~2:3', 'the later life counts');
  t.ok(reborn.token! > again.token!);
  await now.session.close();
  await settle();
  t.equal(shown(members.list), 'a~2:3');
});

void t.test('what somebody deletes by hand comes back, and nonsense is named and left out', async (t) => {
  const scene = await Scene.open();
  const watching = await scene.base();
  const base = await scene.base();
  const { logger } = scene;
  const members = new Members({ ...watching, logger, path, isData });
  const a = new Membership({ ...base, logger, path, name: 'a', boot: '1', data: { port: 1 } });
  await a.join();
  const { token } = a;
  await watching.session.delete(a.path, null);
  await scene.advance(1_000);
  t.equal(shown(members.list), 'a~1:1');
  t.ok(a.token! > token!);
  await watching.session.create(`${path}/b~1`, text('{"port":"x"}'), 'ephemeral');
  await watching.session.create(`${path}/c~1`, text('{{'), 'ephemeral');
  await watching.session.create(`${path}/d~1`, text('{"port":1}'));
  await watching.session.create(`${path}/README`, text('{"port":1}'), 'ephemeral');
  await a.update({ port: 5 });
  await settle();
  t.equal(shown(members.list), 'a~1:5');
  const named = scene.logged.filter((line) => line.includes('/services/mail/b~1'));
  t.equal(named.length, 1, 'said once');
  await watching.session.delete(`${path}/b~1`, null);
  await a.leave();
  await settle();
  t.equal(shown(members.list), '');
});

void t.test('names, data and numbers have limits', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  for (const name of ['', 'a/b', 'a~b']) {
    t.throws(() => new Membership({ ...base, path, name, data: 1 }), { code: 'MILLRACE_RECIPE_OPTION' });
  }
  const long = new Membership({ ...base, path, name: 'a', data: 'x'.repeat(MEMBER_DATA_BYTES_MAX) });
  await t.rejects(long.join(), { code: 'MILLRACE_RECIPE_OPTION', message: /limit/ });
  await base.session.create('/services', text(''));
  await base.session.create(path, text(''));
  const creates = Array.from({ length: GROUP_MEMBERS_MAX }, (_, i) =>
    base.session.create(`${path}/m${i}~1`, text('1'), 'ephemeral'),
  );
  await Promise.all(creates);
  const one = new Membership({ ...base, path, name: 'one', data: 1 });
  await t.rejects(one.join(), { code: 'MILLRACE_RECIPE_TOO_MANY', message: /"\/services\/mail" is full/ });
  await settle();
  await base.session.delete(`${path}/m1~1`, null);
  await one.join();
  t.equal((await base.session.children(path)).length, GROUP_MEMBERS_MAX);
});

void t.test('whichever call fails, it is in once, with its last word, and gone after', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const ghost = await scene.base();
    const other = await scene.base();
    await new Membership({ ...ghost, path, name: 'a', boot: '1', data: { port: 0 } }).join();
    const me = new Membership({ ...base, path, name: 'a', boot: '1', data: { port: 1 } });
    const there = async (): Promise<void> => {
      await me.join();
      await me.update({ port: 2 });
    };
    const joined = await unlessExpired(fault, scene.finish(there()));
    const node = await other.session.get(me.path).catch(() => null);
    if (joined && !me.lost.aborted) {
      must(node?.stat.ephemeralOwner === base.session.id, 'its own node is there');
      must(Buffer.from(node.data).toString() === '{"port":2}', 'with the last data');
      must(node.stat.createRevision === me.token, 'and its token');
    }
    await scene.finish(me.leave());
    await ghost.session.close();
    await scene.advance(5_000);
    must((await scene.everything()).join() === `/services,${path}`, 'nothing is left');
  });
  t.ok(runs > 40, `${runs} runs`);
});

void t.test('what is left of a join that was given up does not meet the next one', async (t) => {
  const scene = await Scene.open();
  let troubled = true;
  const base = await scene.base((session) =>
    wrapped(session, async (name, args, carryOut) => {
      if (troubled && name === 'delete') throw failure('MILLRACE_STORE_UNAVAILABLE', { what: name, reason: 'test' });
      const answer = await carryOut(...args);
      if (troubled && name === 'create' && String(args[0]).includes('~')) await new Promise(() => undefined);
      return answer;
    }),
  );
  const me = new Membership({ ...base, logger: scene.logger, path, name: 'a', boot: '1', data: { port: 1 } });
  await t.rejects(scene.finish(me.join({ timeoutMs: 1_000 })), { code: 'MILLRACE_RECIPE_TIMEOUT' });
  const again = me.join();
  await settle();
  troubled = false;
  await scene.finish(again);
  const { token } = me;
  await scene.advance(10_000);
  t.equal((await base.session.get(me.path)).stat.createRevision, token);
  t.strictSame(scene.logged, [], 'nobody deleted it');
});

void t.test('who leaves while it joins leaves no watch behind', async (t) => {
  const scene = await Scene.open();
  let open = 0;
  let watched = (): void => undefined;
  const real = await scene.store.connect();
  const session = new Proxy(real, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (key !== 'watchNode') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return (...args: Parameters<Session['watchNode']>): Subscription => {
        const watch = target.watchNode(...args);
        open++;
        watched();
        return {
          close: () => {
            open--;
            watch.close();
          },
        };
      };
    },
  });
  const me = new Membership({ ...(await scene.base()), session, path, name: 'a', data: { port: 1 } });
  const leaving = new Promise<void>((resolve) => {
    watched = () => queueMicrotask(() => void me.leave().then(resolve));
  });
  await me.join().catch(() => undefined);
  await leaving;
  t.equal(open, 0);
  t.notOk((await scene.everything()).includes(me.path));
});

void t.test('a member that could not be watched and is gone is not waited for', async (t) => {
  const scene = await Scene.open();
  const [base, other] = [await scene.base(), await scene.base()];
  const me = new Membership({ ...other, path, name: 'a', data: { port: 1 } });
  await me.join();
  const session = new Proxy(base.session, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (key !== 'watchNode') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return () => {
        throw failure('MILLRACE_STORE_TOO_MANY', { what: 'watches', count: 0 });
      };
    },
  });
  const members = new Members({ ...base, session, path, isData });
  await settle();
  await me.leave();
  await scene.finish(members.ready);
  t.strictSame(members.list, []);
  members.close();
});

void t.test('what somebody deleted comes back with the update that was under way', async (t) => {
  const scene = await Scene.open();
  const [one, other] = [await scene.base(), await scene.base()];
  let go = (): void => undefined;
  let hold: Promise<void> | null = null;
  const session = wrapped(one.session, async (name, args, carryOut) => {
    if (name === 'exists') await hold;
    return await carryOut(...args);
  });
  const me = new Membership({ ...one, session, path, name: 'a', boot: '1', data: { port: 1 } });
  await me.join();
  hold = new Promise((resolve) => (go = resolve));
  const updates = [me.update({ port: 2 }), me.update({ port: 3 })];
  await settle();
  await other.session.delete(me.path, null);
  await settle();
  hold = null;
  go();
  await scene.finish(Promise.all(updates));
  await scene.advance(1_000);
  t.equal(Buffer.from((await other.session.get(me.path)).data).toString(), '{"port":3}');
});

void t.test('who gave up joining is not there', async (t) => {
  const property = fc.asyncProperty(fc.integer(), fc.nat(120), async (seed, afterMs) => {
    const scene = await Scene.open();
    const real = await scene.store.connect();
    const session = slow(scene, real, new Random(seed), 20, 0.2);
    const me = new Membership({ ...(await scene.base()), session, path, name: 'a', data: { port: 1 } });
    const giveUp = new AbortController();
    scene.clock.after(afterMs, () => giveUp.abort(new Error('enough')));
    const joined = await scene.finish(
      me.join({ signal: giveUp.signal }).then(
        () => true,
        () => false,
      ),
    );
    await scene.advance(10_000);
    const count = await scene.everything().then((all) => all.filter((each) => each.startsWith(`${path}/`)).length);
    must(count === (joined ? 1 : 0), `${count} nodes, joined: ${joined}`);
    await scene.finish(me.leave());
    must(!(await scene.everything()).some((each) => each.startsWith(`${path}/`)), 'gone after it left');
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 150 });
  t.pass('150 runs');
});

void t.test('whatever comes and goes, all who look see the same in the end', async (t) => {
  const step = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom('join', 'update', 'leave', 'delete'),
    waitMs: fc.nat(30),
  });
  const property = fc.asyncProperty(fc.integer(), fc.array(step, { maxLength: 20 }), async (seed, steps) => {
    const scene = await Scene.open();
    const random = new Random(seed);
    const views = [];
    for (let i = 0; i < 2; i++) {
      const session = slow(scene, await scene.store.connect(), random, 10, 0.1);
      views.push(new Members({ ...(await scene.base()), session, path, isData }));
    }
    const people: (Membership<Data> | null)[] = [null, null, null, null];
    let port = 0;
    for (const { who, what, waitMs } of steps) {
      const me = people[who] ?? null;
      if (what === 'join' && me === null) {
        const session = slow(scene, await scene.store.connect(), random, 10, 0.1);
        const options = { ...(await scene.base()), session, path, name: 'abcd'[who]!, data: { port: port++ } };
        people[who] = new Membership(options);
        people[who].join().catch(() => undefined);
      } else if (what === 'update') {
        me?.update({ port: port++ }).catch(() => undefined);
      } else if (what === 'leave') {
        people[who] = null;
        void me?.leave();
      } else if (what === 'delete' && me !== null) {
        const other = await scene.base();
        await other.session.delete(me.path, null).catch(() => undefined);
        await other.session.close();
      }
      await scene.advance(waitMs);
    }
    await scene.advance(20_000);
    const names = people.flatMap((each, who) => (each === null ? [] : ['abcd'[who]!]));
    for (const view of views) {
      must(view.list.map(({ name }) => name).join() === names.join(), `${shown(view.list)}, not ${names.join()}`);
      must(shown(view.list) === shown(views[0]!.list), 'the same for all');
    }
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 60 });
  t.pass('60 runs');
});
