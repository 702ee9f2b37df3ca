// Random days of a small cluster on virtual time: topologies come, rest, end and are killed, hosts join, leave and lose
// their sessions, and the store refuses calls or loses answers. At no moment does one revision run twice; when it is
// quiet again, everything is as it was wished.

import fc from 'fast-check';
import t from 'tap';
import { STORE_RETRY_MAX_MS } from '../../engine/limits.js';
import type { KnownTopology } from '../../coordination/topologies.js';
import { Cluster, settle, topology, type Member } from './cluster.js';
import { FaultyStore } from './store/faulty.js';

const HOSTS = ['a', 'b', 'c'];
const SLOTS = 3;

const name = fc.constantFrom('t1', 't2', 't3', 't4');
const host = fc.constantFrom(...HOSTS);
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('submit' as const),
      name,
      workers: fc.integer({ min: 1, max: 4 }),
      active: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('active' as const, 'inactive' as const), name }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('kill' as const), name, waitMs: fc.constantFrom(0, 300) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('complete' as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('lose' as const, 'join' as const, 'leave' as const), host }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('fault' as const),
      host,
      method: fc.constantFrom('set' as const, 'multi' as const, 'create' as const, 'get' as const, 'children' as const),
      how: fc.constantFrom('lose' as const, 'refuse' as const),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(0, 60, 1500) }) },
);
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

class Day {
  readonly all: Member[] = [];
  private readonly present = new Map<string, { readonly member: Member; readonly store: FaultyStore }>();
  private readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  async join(host: string): Promise<void> {
    if (this.present.has(host)) return;
    const store = new FaultyStore(this.cluster.store);
    const member = await this.cluster.host(host, SLOTS, store);
    this.all.push(member);
    this.present.set(host, { member, store });
  }

  /** Wishes go by way of some host that is there; when they are refused, that is all. */
  async apply(event: Event): Promise<void> {
    const { cluster, present } = this;
    const topologies = [...present.values()][0]?.member.host.topologies;
    switch (event.type) {
      case 'wait':
        await cluster.advance(event.ms);
        break;
      case 'join':
        await this.join(event.host);
        break;
      case 'leave': {
        const leaving = present.get(event.host);
        present.delete(event.host);
        await this.meanwhile(leaving?.member.host.close());
        break;
      }
      case 'lose': {
        const session = await cluster.store.connect();
        for (const member of await session.children('/hosts')) {
          if (!member.startsWith(`${event.host}~`)) continue;
          await cluster.store.expire((await session.get(`/hosts/${member}`)).stat.ephemeralOwner!);
        }
        await session.close();
        break;
      }
      case 'fault':
        present.get(event.host)?.store.faults.push({ method: event.method, how: event.how, times: event.times });
        break;
      case 'submit': {
        const { name, workers, active } = event;
        await this.meanwhile(topologies?.submit(topology(name, { workers, active })));
        break;
      }
      case 'kill':
        await this.meanwhile(topologies?.kill(event.name, { waitMs: event.waitMs, reason: null }));
        break;
      case 'complete':
        for (const { runner } of this.all) {
          for (const run of runner.runs) {
            if (run.order.name === event.name) run.end({ status: 'completed', error: null, final: null });
          }
        }
        break;
      default:
        await this.meanwhile(topologies?.setWanted(event.name, event.type));
    }
    await settle();
    this.noneTwice();
  }

  /** A call that may need time to pass, or be refused. */
  private async meanwhile(call: Promise<unknown> | undefined): Promise<void> {
    let over = call === undefined;
    void call?.then(
      () => (over = true),
      () => (over = true),
    );
    for (let turn = 0; !over; turn++) {
      if (turn > 1000) throw new Error('a call never ends');
      await this.cluster.advance(100);
    }
  }

  private noneTwice(): void {
    const running = this.all.flatMap(({ runner }) => runner.runs.filter(({ over }) => !over));
    const keys = running.map(({ order }) => `${order.id} ${order.revision}`);
    if (new Set(keys).size < keys.length) throw new Error(`runs twice: ${keys.join()}`);
  }

  /** No more faults, one more host, and time for everything. */
  async quiet(): Promise<void> {
    for (const { store } of this.present.values()) store.faults.length = 0;
    await this.join('a');
    await this.cluster.advance(4 * STORE_RETRY_MAX_MS);
    this.noneTwice();
  }

  /** Everything is as it was wished. */
  async check(): Promise<void> {
    const here = [...this.present.values()].map(({ member }) => member);
    const known = await here[0]!.host.topologies.list();
    const running = here.flatMap(({ runner, host }) =>
      runner.runs.filter(({ over }) => !over).map((run) => ({ run, host })),
    );
    const taken = new Set<string>();
    for (const { run, host } of running) {
      for (const { slot } of run.order.places) {
        const key = `${host.boot} ${slot}`;
        if (slot >= SLOTS || taken.has(key)) throw new Error(`slot ${key} twice`);
        taken.add(key);
      }
    }
    const most = Math.max(
      ...here.map(({ host }) => SLOTS - [...taken].filter((key) => key.startsWith(host.boot)).length),
    );
    for (const each of known) checkOne(each, running.filter(({ run }) => run.order.id === each.id).length, most);
    const names = known.filter(({ kind }) => kind === 'live').map(({ name }) => name);
    if (new Set(names).size < names.length) throw new Error('a name twice');
    const session = await this.cluster.store.connect();
    const lives = known.filter(({ kind }) => kind === 'live').length;
    const left = (await session.children('/hosts')).length - here.length;
    if (left !== 0 || (await session.children('/masters')).length !== here.length) throw new Error('ghosts');
    if ((await session.children('/assignments')).length > lives) throw new Error('assignments of nobody');
  }

  async end(): Promise<void> {
    for (const { member } of this.present.values()) await this.meanwhile(member.host.close());
    const left = this.all.filter(({ runner }) => runner.running.length > 0);
    if (left.length > 0) throw new Error('runs after the end of its host');
    await this.cluster.store.close();
  }
}

function checkOne(each: KnownTopology, runs: number, mostFree: number): void {
  const fail = (what: string): never => {
    throw new Error(`${each.name} is ${each.state}, ${what}: ${JSON.stringify(each)}`);
  };
  if (each.kind === 'ended') {
    if (runs > 0) fail('and runs');
    return;
  }
  const { wish, assignment, state } = each;
  if (state === 'draining') fail('for ever');
  if (state === 'active' && runs !== 1) fail(`and runs ${runs} times`);
  if (state === 'waiting' && wish.workers <= mostFree) fail(`with ${mostFree} free slots`);
  if (state === 'waiting' && runs > 0) fail('and runs');
  if (state === 'inactive' && runs > (assignment?.places.length === 0 || assignment === null ? 0 : 1)) fail('and runs');
}

void t.test('after any day, everything is as it was wished', async (t) => {
  const property = fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
    const day = new Day(await Cluster.open());
    await day.join('a');
    for (const each of events) await day.apply(each);
    await day.quiet();
    await day.check();
    await day.end();
  });
  await fc.assert(property, { numRuns: 300 });
  t.pass('300 days');
});
