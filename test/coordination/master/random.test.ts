// Random days of a cluster whose hosts share topologies: hosts come, go with or without a word, are drained and not
// reached; topologies of different priorities are submitted, rebalanced and killed; masters follow one another. At no
// moment has anybody a slot that is not there or that is another's; when it is quiet, nobody waits for what is free.

import fc from 'fast-check';
import t from 'tap';
import { HOSTS_GATHER_MAX_MS } from '../../../engine/limits.js';
import { changesOf, type Assignment } from '../../../coordination/topology-records.js';
import { described, settle } from '../cluster.js';
import { shown } from './kit.js';
import { Stage } from './stage.js';

const SLOTS: Readonly<Record<string, number>> = { a: 3, b: 2, c: 2, d: 1, e: 4 };
const host = fc.constantFrom(...Object.keys(SLOTS));
const name = fc.constantFrom('t1', 't2', 't3', 't4', 't5');
const event = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('submit' as const),
      name,
      workers: fc.integer({ min: 1, max: 6 }),
      priority: fc.integer({ min: -1, max: 1 }),
      autoRebalance: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('join' as const), host }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('leave' as const), host, says: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('drain' as const, 'undrain' as const), host }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('away' as const), name, away: host }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('rebalance' as const), name, workers: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('kill' as const, 'active' as const, 'inactive' as const), name }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('master' as const) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(100, 1000) }) },
);
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

class Day {
  private readonly on: Stage;
  private readonly present = new Map<string, string>();
  private readonly drained = new Set<string>();
  private readonly reached = new Map<string, string>();
  private boots = 0;

  constructor(on: Stage) {
    this.on = on;
  }

  async apply(event: Event): Promise<void> {
    const { on, present, drained } = this;
    switch (event.type) {
      case 'submit': {
        const plain = described(event.name);
        const { priority, autoRebalance } = event;
        const description = { ...plain, config: { ...plain.config, priority, autoRebalance } };
        await on.submit(event.name, event.workers, { description }).catch(() => undefined);
        break;
      }
      case 'join': {
        if (present.has(event.host)) return;
        const boot = String(++this.boots);
        present.set(event.host, boot);
        await on.join(event.host, SLOTS[event.host]!, { boot });
        break;
      }
      case 'leave':
        if (!present.delete(event.host)) return;
        await on.leave(event.host, event.says ? 'with a word' : 'without a word');
        break;
      case 'drain':
        if (drained.has(event.host)) return;
        drained.add(event.host);
        await on.drain(event.host);
        break;
      case 'undrain':
        if (!drained.delete(event.host)) return;
        await on.undrain(event.host);
        break;
      case 'away': {
        const lead = (await this.assignments()).find((each) => each.name === event.name)?.places[0];
        if (lead === undefined || lead.host === event.away || present.get(lead.host) !== lead.boot) return;
        const member = `${event.away}~${present.get(event.away) ?? 'none'}`;
        await on.says(lead.host, event.name, { away: [member] });
        this.reached.set(event.name, event.away);
        break;
      }
      case 'master':
        await on.lead();
        break;
      case 'wait':
        await on.advance(event.ms);
        break;
      default:
        await this.wish(event);
    }
    await settle();
    await this.check();
  }

  private async wish(
    event: Extract<Event, { readonly type: 'rebalance' | 'kill' | 'active' | 'inactive' }>,
  ): Promise<void> {
    const { topologies } = this.on;
    const call =
      event.type === 'rebalance'
        ? topologies.rebalance(event.name, { workers: event.workers })
        : event.type === 'kill'
          ? topologies.kill(event.name, { waitMs: 0, reason: null })
          : topologies.setWanted(event.name, event.type);
    await call.catch(() => undefined);
  }

  private async assignments(): Promise<readonly Assignment[]> {
    const known = await this.on.topologies.list();
    return known.flatMap((each) => (each.kind === 'live' && each.assignment !== null ? [each.assignment] : []));
  }

  /** At any moment. */
  private async check(): Promise<void> {
    const taken = new Set<string>();
    for (const { places } of await this.assignments()) {
      for (const place of places) {
        const key = `${place.boot} ${shown([place])[0]}`;
        if (taken.has(key) || place.slot >= SLOTS[place.host]!) throw new Error(`${key} twice, or not there`);
        taken.add(key);
      }
    }
  }

  /** When nothing has happened for a while. */
  async quiet(): Promise<void> {
    const { on, present, drained } = this;
    await on.advance(2 * HOSTS_GATHER_MAX_MS);
    await this.check();
    const assignments = await this.assignments();
    const used = new Map<string, number>();
    for (const { places } of assignments) {
      for (const { host, boot } of places) {
        if (present.get(host) !== boot) throw new Error(`${host} is not there`);
        used.set(host, (used.get(host) ?? 0) + 1);
      }
    }
    const open = [...present.keys()].filter((each) => !drained.has(each));
    const free = open.reduce((sum, each) => sum + SLOTS[each]! - (used.get(each) ?? 0), 0);
    for (const each of await on.topologies.list()) {
      if (each.kind === 'ended' || each.wish.wanted !== 'active') continue;
      const { wish, assignment } = each;
      const places = assignment?.places ?? [];
      const fail = (what: string): never => {
        throw new Error(`${wish.name} ${what}: ${shown(places).join(' ')}; ${free} free, ${assignment?.waiting}`);
      };
      const away = this.reached.has(wish.name);
      if (places.length === 0 && wish.workers <= free) fail('waits');
      // A rebalance waits until all that it asks for is free.
      const isSpread = assignment === null || changesOf(wish) === changesOf(assignment);
      const isShort = isSpread && places.length > 0 && places.length < wish.workers;
      if (isShort && free > 0 && !away) fail('could have more workers');
      if (places.length < wish.workers && assignment?.waiting === undefined) fail('does not say what it waits for');
      if (places.some((place) => drained.has(place.host)) && places.length <= free && !away) fail('is not moved away');
      const lower = assignments.filter((other) => {
        return priorityOf(this.wishes.get(other.name)) < priorityOf(wish) && other.places.length > 0;
      });
      const theirs = lower.flatMap((other) => other.places.filter(({ host }) => open.includes(host))).length;
      if (places.length === 0 && wish.workers <= free + theirs) fail('lets lower ones run');
    }
  }

  /** What is wished now, by name. */
  wishes: ReadonlyMap<string, { readonly placing?: { readonly priority?: number } }> = new Map();

  async look(): Promise<void> {
    const known = await this.on.topologies.list();
    this.wishes = new Map(known.flatMap((each) => (each.kind === 'live' ? [[each.name, each.wish] as const] : [])));
  }
}

function priorityOf(wish: { readonly placing?: { readonly priority?: number } } | undefined): number {
  return wish?.placing?.priority ?? 0;
}

void t.test('after any day, what fits runs where it may', async (t) => {
  const property = fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
    const on = await Stage.open();
    await on.lead();
    const day = new Day(on);
    for (const host of ['a', 'b', 'c']) await day.apply({ type: 'join', host });
    await on.advance(HOSTS_GATHER_MAX_MS);
    for (const each of events) await day.apply(each);
    await on.advance(2 * HOSTS_GATHER_MAX_MS);
    await day.look();
    await day.quiet();
    await on.close();
  });
  await fc.assert(property, { numRuns: 150 });
  t.pass('150 days');
});
