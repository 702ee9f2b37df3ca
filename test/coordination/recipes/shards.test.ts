// Shards: each has one owner at a time, by tokens that grow; who comes and goes moves no more than it must; and a new
// owner begins only when the old one has let go. On virtual time.

import fc from 'fast-check';
import t from 'tap';
import { SHARD_RESTART_MAX_MS, STORE_RETRY_MIN_MS } from '../../../engine/limits.js';
import { Random } from '../../../engine/random.js';
import { ownersOf } from '../../../coordination/recipes/rendezvous.js';
import { Shards, type OwnedShard, type ShardsOptions } from '../../../coordination/recipes/shards.js';
import { aborted } from '../../../coordination/store/signals.js';
import { settle } from '../cluster.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow, Troubled, unlessExpired, type Base } from './kit.js';

const path = '/billing';

/** Watches that no shard has two owners, and that its tokens grow. */
class Owners {
  readonly now = new Map<number, string>();
  readonly tokens = new Map<number, bigint>();
  readonly begun: string[] = [];

  begin(shard: OwnedShard, member: string): void {
    must(!this.now.has(shard.shard), `shard ${shard.shard} has two owners`);
    must((this.tokens.get(shard.shard) ?? -1n) < shard.token, 'the token grows');
    this.tokens.set(shard.shard, shard.token);
    this.now.set(shard.shard, member);
    this.begun.push(`${member}${shard.shard}`);
  }

  end(shard: number, member: string): void {
    if (this.now.get(shard) === member) this.now.delete(shard);
  }

  of(member: string): number[] {
    return [...this.now].flatMap(([shard, owner]) => (owner === member ? [shard] : [])).sort((a, b) => a - b);
  }
}

const wantedBy = (member: string, members: readonly string[], shards: number): number[] =>
  ownersOf(members, shards).flatMap((owner, shard) => (owner === member ? [shard] : []));

/** Owns until it is to let go, and some time longer. */
function worker(scene: Scene, owners: Owners, member: string, lingerMs = 0): ShardsOptions['own'] {
  return async (shard) => {
    owners.begin(shard, member);
    // What is lost is another's from that moment on.
    shard.lost.addEventListener('abort', () => owners.end(shard.shard, member));
    await aborted(shard.over);
    if (lingerMs > 0) await new Promise<void>((resolve) => scene.clock.after(lingerMs, resolve));
    owners.end(shard.shard, member);
  };
}

function shardsOf(scene: Scene, base: Base, owners: Owners, member: string, more: Partial<ShardsOptions> = {}): Shards {
  return new Shards({ ...base, path, shards: 16, member, own: worker(scene, owners, member), ...more });
}

void t.test('who comes and goes moves what it must and nothing else', async (t) => {
  const property = fc.property(
    fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 1, max: 200 }),
    (members, count) => {
      const [newcomer, ...before] = members;
      const [old, now] = [ownersOf(before, count), ownersOf(members, count)];
      for (let shard = 0; shard < count; shard++) {
        if (before.length > 0 && now[shard] !== newcomer) must(now[shard] === old[shard], 'moved between others');
      }
      must(ownersOf(members.toReversed(), count).join() === now.join(), 'the order of members does not matter');
    },
  );
  fc.assert(property);
  t.strictSame(ownersOf([], 4), []);
  const counts = ['a', 'b', 'c', 'd'].map((member) => wantedBy(member, ['a', 'b', 'c', 'd'], 1024).length);
  t.ok(Math.min(...counts) > 200 && Math.max(...counts) < 312, `even by chance: ${counts.join()}`);
});

void t.test('members share the shards, hand them over, and take over from one that is lost', async (t) => {
  const scene = await Scene.open();
  const owners = new Owners();
  const [one, two, three] = [await scene.base(), await scene.base(), await scene.base()];
  const a = shardsOf(scene, one, owners, 'a');
  await a.join();
  t.strictSame(a.owned, [], 'shards come after the members are gathered');
  await scene.advance(1_000);
  t.equal(a.owned.length, 16);
  const b = shardsOf(scene, two, owners, 'b');
  await b.join();
  await scene.advance(1_000);
  t.strictSame(owners.of('a'), wantedBy('a', ['a', 'b'], 16));
  t.strictSame(b.owned, wantedBy('b', ['a', 'b'], 16));
  t.equal(owners.begun.filter((each) => each.startsWith('a')).length, 16, 'what stays goes on');
  const c = shardsOf(scene, three, owners, 'c');
  await c.join();
  await scene.advance(1_000);
  await scene.store.expire(two.session.id);
  t.ok(b.lost.aborted);
  await settle();
  t.strictSame(b.owned, []);
  await scene.advance(1_000);
  t.strictSame(owners.of('a'), wantedBy('a', ['a', 'c'], 16));
  t.strictSame(owners.of('c'), wantedBy('c', ['a', 'c'], 16));
  await scene.finish(c.leave());
  await scene.advance(1_000);
  t.equal(a.owned.length, 16);
  await scene.finish(a.leave());
  await b.leave();
  await scene.advance(1_000);
  t.strictSame(await scene.everything(), [path, `${path}/members`, `${path}/owners`]);
});

void t.test('a new owner waits for the old one, however long its work takes to end', async (t) => {
  const scene = await Scene.open();
  const owners = new Owners();
  const a = shardsOf(scene, await scene.base(), owners, 'a', { own: worker(scene, owners, 'a', 20_000) });
  await a.join();
  await scene.advance(1_000);
  const b = shardsOf(scene, await scene.base(), owners, 'b');
  await b.join();
  await scene.advance(15_000);
  t.strictSame(b.owned, []);
  t.equal(owners.of('a').length, 16);
  await scene.advance(10_000);
  t.strictSame(b.owned, wantedBy('b', ['a', 'b'], 16));
  const leaving = a.leave();
  await scene.advance(10_000);
  t.equal(b.owned.length, wantedBy('b', ['a', 'b'], 16).length);
  await scene.finish(leaving);
  await scene.advance(1_000);
  t.equal(b.owned.length, 16);
});

void t.test('a new owner waits also for one that lost its shards because the store was silent', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const troubled = new Troubled(base.session, 4_000);
  const working = new Set<number>();
  const overlaps: number[] = [];
  const own = async ({ shard, over }: OwnedShard): Promise<void> => {
    if (working.has(shard)) overlaps.push(shard);
    working.add(shard);
    await aborted(over);
    await new Promise<void>((resolve) => scene.clock.after(20_000, resolve));
    working.delete(shard);
  };
  const options = { path, shards: 4, own };
  const a = new Shards({ ...base, session: troubled.session, ...options, member: 'a' });
  const b = new Shards({ ...(await scene.base()), ...options, member: 'b' });
  await a.join();
  await scene.advance(1_000);
  t.equal(working.size, 4);
  troubled.multi = 'gets lost';
  await b.join();
  await scene.advance(10_000);
  t.strictSame(b.owned, []);
  t.equal(base.session.state, 'connected');
  troubled.multi = 'works';
  await scene.advance(60_000);
  t.strictSame(b.owned, wantedBy('b', ['a', 'b'], 4));
  t.strictSame(overlaps, []);
});

void t.test('what it writes is fenced, and work that ends by itself or fails is begun again', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const had: OwnedShard[] = [];
  const own = async (shard: OwnedShard): Promise<void> => {
    had.push(shard);
    if (had.length === 1) throw new Error('of the work');
    if (had.length >= 3) await aborted(shard.over);
  };
  const options = { ...base, logger: scene.logger, path, shards: 1, member: 'a', own };
  const shards = new Shards(options);
  await shards.join();
  await scene.advance(10_000);
  t.equal(had.length, 3);
  t.ok(scene.logged.some((line) => line.includes('/billing/owners/0') && line.includes('of the work')));
  t.ok(had[0]!.over.aborted);
  const create = [{ type: 'create', path: '/x', data: text('') }] as const;
  await t.rejects(had[1]!.act(create), { code: 'MILLRACE_LOCK_LOST' });
  await had[2]!.act(create);
  const other = await scene.base();
  await other.session.delete(had[2]!.path, null);
  await scene.advance(10_000);
  t.ok(had[2]!.lost.aborted);
  t.equal(had.length, 4, 'begun again');
  await scene.finish(shards.leave());
  t.throws(() => new Shards({ ...options, shards: 0 }), { code: 'MILLRACE_RECIPE_OPTION' });
  await t.rejects(new Shards({ ...options, shards: 2 }).join(), { code: 'MILLRACE_RECIPE_DIFFERS' });
});

void t.test('after a long good time, work that fails begins again soon, and never after the session', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const began: number[] = [];
  const own = async (): Promise<void> => {
    began.push(scene.clock.now());
    if (began.length === 13) await new Promise<void>((resolve) => scene.clock.after(60_000, resolve));
    throw new Error('of the work');
  };
  const shards = new Shards({ ...base, path, shards: 1, member: 'a', own });
  await shards.join();
  const waits = (): number[] => began.slice(1).map((atMs, index) => atMs - began[index]!);
  while (began.length < 14) await scene.advance(1_000);
  t.equal(Math.max(...waits().slice(0, 11)), SHARD_RESTART_MAX_MS);
  t.equal(waits()[12], 60_000 + STORE_RETRY_MIN_MS);
  t.not(scene.clock.nextDueMs(), undefined, 'it is to begin again');
  await scene.store.expire(base.session.id);
  await settle();
  t.equal(scene.clock.nextDueMs(), undefined, 'no wait outlives the session');
  await shards.leave();
});

void t.test('of two lives of one name the later one owns', async (t) => {
  const scene = await Scene.open();
  const owners = new Owners();
  const [ghost, living] = [await scene.base(), await scene.base()];
  const a = shardsOf(scene, ghost, owners, 'a');
  await a.join();
  await scene.advance(1_000);
  const again = shardsOf(scene, living, owners, 'a');
  await again.join();
  await scene.advance(2_000);
  t.strictSame(a.owned, []);
  t.equal(again.owned.length, 16);
});

void t.test('whichever call fails, every shard has an owner in the end', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const owners = new Owners();
    const other = shardsOf(scene, await scene.base(), owners, 'b', { shards: 3 });
    await scene.finish(other.join());
    await scene.advance(1_000);
    const shards = shardsOf(scene, base, owners, 'a', { shards: 3 });
    const joined = await unlessExpired(fault, scene.finish(shards.join()));
    await scene.advance(20_000);
    const expected = joined && !shards.lost.aborted ? ownersOf(['a', 'b'], 3) : ['b', 'b', 'b'];
    const actual = [0, 1, 2].map((shard) => owners.now.get(shard));
    must(actual.join() === expected.join(), `${actual.join()}, not ${expected.join()}`);
    await scene.finish(shards.leave());
    await scene.advance(5_000);
    must(owners.of('b').length === 3, 'the other one takes over');
    await scene.finish(other.leave());
    await scene.advance(5_000);
    const left = (await scene.everything()).filter((each) => /~|_\d{10}$/.test(each));
    must(left.length === 0, `left behind: ${left.join()}`);
  });
  t.ok(runs > 50, `${runs} runs`);
});

void t.test('whatever members do: one owner at a time, and in the end as it should be', async (t) => {
  const step = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom('join', 'join', 'leave', 'expire'),
    waitMs: fc.nat(900),
  });
  const plan = fc.tuple(fc.integer(), fc.constantFrom(0, 0.1), fc.array(step, { minLength: 1, maxLength: 10 }));
  const property = fc.asyncProperty(plan, async ([seed, faulty, steps]) => {
    const scene = await Scene.open();
    const random = new Random(seed);
    const owners = new Owners();
    const members: ({ readonly shards: Shards; readonly base: Base } | null)[] = [null, null, null, null];
    const gone: Promise<void>[] = [];
    for (const { who, what, waitMs } of steps) {
      const member = members[who] ?? null;
      if (what === 'join' && member === null) {
        const session = slow(scene, await scene.store.connect(), random, 10, faulty);
        const base = { ...(await scene.base()), session };
        // Each life of a name has its own mark, so that two of them are told apart.
        const own = worker(scene, owners, `${who}${base.session.id}`, random.nextFloat() * 100);
        const shards = shardsOf(scene, base, owners, `m${who}`, { shards: 5, own });
        members[who] = { shards, base };
        shards.join({ timeoutMs: Infinity }).catch(() => undefined);
      } else if (what === 'leave' && member !== null) {
        members[who] = null;
        gone.push(member.shards.leave());
      } else if (what === 'expire' && member !== null) {
        members[who] = null;
        await scene.store.expire(member.base.session.id);
        gone.push(member.shards.leave());
      }
      await scene.advance(waitMs);
    }
    await scene.finish(Promise.all(gone));
    await scene.advance(60_000);
    const names = members.flatMap((member, who) => (member === null ? [] : [`m${who}`]));
    for (const [who, member] of members.entries()) {
      const expected = wantedBy(`m${who}`, names, 5).join();
      if (member !== null)
        must(member.shards.owned.join() === expected, `${member.shards.owned.join()}, not ${expected}`);
    }
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 40 });
  t.pass('40 runs');
});
