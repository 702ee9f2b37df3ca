// An election whichever call fails, and whatever its members do: one leads at a time, epochs count up, a deposed leader
// writes nothing, and nobody is left in the queue. On virtual time.

import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../../engine/random.js';
import { Election, type Term } from '../../../coordination/recipes/election.js';
import { aborted } from '../../../coordination/store/signals.js';
import { isPassing } from '../../../coordination/store/store-errors.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow } from './kit.js';

const at = '/billing/leader';

void t.test('whichever call fails, one leads in the end, and nobody is left behind', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const led: number[] = [];
    const leading = new Set<number>();
    const leaders = (): number => leading.size;
    const lead = async (term: Term): Promise<void> => {
      must(leaders() === 0, 'one leads');
      leading.add(term.epoch);
      must(term.epoch > (led.at(-1) ?? 0), 'epochs count up');
      led.push(term.epoch);
      void aborted(term.over).then(() => leading.delete(term.epoch));
      await term.act([{ type: 'create', path: `/act${term.epoch}`, data: text('') }]).catch((error: unknown) => {
        if (!isPassing(error)) throw error;
      });
      await aborted(term.over);
    };
    const own = new Election({ ...base, at, member: 'a', lead });
    own.start();
    await scene.advance(20_000);
    const expired = fault === 'expire' || fault === 'expire after';
    must(expired || led.length > 0, 'it leads');
    const other = new Election({ ...(await scene.base()), at, member: 'b', lead });
    other.start();
    await scene.advance(1_000);
    await scene.finish(own.close());
    await scene.advance(20_000);
    must(leaders() === 1, 'the other one leads after it');
    await scene.finish(other.close());
    await scene.advance(5_000);
    must(leaders() === 0, 'nobody leads');
    const left = (await scene.everything()).filter((each) => each.startsWith(`${at}/queue/`));
    must(left.length === 0, `left behind: ${left.join()}`);
  });
  t.ok(runs > 50, `${runs} runs`);
});

void t.test('whatever members do: never two, in epochs that count up', async (t) => {
  const step = fc.record({
    who: fc.nat(3),
    what: fc.constantFrom('join', 'join', 'leave', 'expire'),
    waitMs: fc.nat(300),
  });
  const plan = fc.tuple(fc.integer(), fc.constantFrom(0, 0.1), fc.array(step, { minLength: 1, maxLength: 12 }));
  const property = fc.asyncProperty(plan, async ([seed, faulty, steps]) => {
    const scene = await Scene.open();
    const random = new Random(seed);
    const members: ({ readonly election: Election; readonly id: string } | null)[] = [null, null, null, null];
    let epoch = 0;
    const leading = new Set<string>();
    const gone: Promise<void>[] = [];
    for (const { who, what, waitMs } of steps) {
      const member = members[who] ?? null;
      if (what === 'join' && member === null) {
        const real = await scene.store.connect();
        const lead = async (term: Term): Promise<void> => {
          must(leading.size === 0, 'one leads');
          must(term.epoch > epoch, 'epochs count up');
          epoch = term.epoch;
          leading.add(real.id);
          term.over.addEventListener('abort', () => leading.delete(real.id));
          await aborted(term.over);
        };
        const session = slow(scene, real, random, 10, faulty);
        const election = new Election({ ...(await scene.base()), session, at, member: `m${who}`, lead });
        election.start();
        members[who] = { election, id: real.id };
      } else if (what !== 'join' && member !== null) {
        members[who] = null;
        if (what === 'expire') await scene.store.expire(member.id);
        gone.push(member.election.close());
      }
      await scene.advance(waitMs);
    }
    await scene.finish(Promise.all(gone));
    await scene.advance(20_000);
    const there = members.filter((member) => member !== null);
    must(leading.size === Math.min(1, there.length), `${leading.size} of ${there.length} lead`);
    const queue = (await scene.everything()).filter((each) => each.startsWith(`${at}/queue/`));
    must(queue.length === there.length, `${queue.length} in the queue, ${there.length} there`);
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 60 });
  t.pass('60 runs');
});
