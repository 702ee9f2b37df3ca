// Who is master, and that nobody else writes as one: C59's ground. On virtual time, with answers that get lost.

import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import { silentLogger } from '../../../engine/log.js';
import { ensureLayout } from '../../../coordination/host/registration.js';
import { EPOCH, MASTERS } from '../../../coordination/paths.js';
import { Election, type Term } from '../../../coordination/recipes/election.js';
import { createProtected } from '../../../coordination/recipes/protected-create.js';
import type { Session } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { sequenceOf } from '../../../coordination/store/node-path.js';
import { aborted } from '../../../coordination/store/signals.js';
import { operationOf } from '../../../coordination/store/store-errors.js';
import { settle } from '../cluster.js';
import { text, textOf } from '../store/contract.js';
import { FaultyStore } from '../store/faulty.js';

class Candidates {
  readonly clock = new VirtualClock();
  readonly terms: { readonly member: string; readonly term: Term }[] = [];
  readonly store: FaultyStore;
  readonly real: EmbeddedStore;
  private next = 1;

  private constructor(real: EmbeddedStore) {
    this.real = real;
    this.store = new FaultyStore(real);
  }

  static async open(): Promise<Candidates> {
    const candidates = new Candidates(await EmbeddedStore.open({ directory: null }));
    await ensureLayout(await candidates.real.connect());
    return candidates;
  }

  async queue(member: string): Promise<{ readonly session: Session; readonly election: Election }> {
    const session = await this.store.connect();
    const election = new Election({
      session,
      clock: this.clock,
      logger: silentLogger,
      at: { queue: MASTERS, epoch: EPOCH },
      member,
      deposed: (epoch, cause) => failure('MILLRACE_MASTER_DEPOSED', { host: member, epoch }, { cause }),
      newId: () => `id${this.next++}`,
      lead: async (term) => {
        this.terms.push({ member, term });
        await aborted(term.over);
      },
    });
    election.start();
    await settle();
    return { session, election };
  }

  async advance(ms: number): Promise<void> {
    await settle();
    const untilMs = this.clock.now() + ms;
    while (this.clock.step(untilMs)) await settle();
  }
}

const write = (data: string) => [{ type: 'create', path: `/${data}`, data: text(data) }] as const;

void t.test('the first in the queue is master; the next follows, with the next epoch', async (t) => {
  const all = await Candidates.open();
  const a = await all.queue('a');
  const b = await all.queue('b');
  const c = await all.queue('c');
  t.strictSame(
    all.terms.map(({ member, term }) => [member, term.epoch]),
    [['a', 1]],
  );
  const first = all.terms[0]!.term;
  t.match(await first.act(write('one')), [{ type: 'create', path: '/one' }]);
  await b.election.close();
  t.equal(all.terms.length, 1, 'one that waited leaves unnoticed');
  await a.election.close();
  await settle();
  t.ok(first.over.aborted);
  t.strictSame(
    all.terms.map(({ member, term }) => [member, term.epoch]),
    [
      ['a', 1],
      ['c', 2],
    ],
  );
  await t.rejects(first.act(write('late')), { code: 'MILLRACE_MASTER_DEPOSED', message: /"a".* epoch 1/ });
  await c.session.close();
  await settle();
  t.ok(all.terms[1]!.term.over.aborted, 'it ends with its session');
  t.strictSame(await (await all.real.connect()).children(MASTERS), []);
});

void t.test('a deposed master cannot write, even before it knows', async (t) => {
  const all = await Candidates.open();
  await all.queue('a');
  const { term } = all.terms[0]!;
  const other = await all.real.connect();
  const error: unknown = await term
    .act([...write('two'), { type: 'check', path: '/nowhere', version: 0 }])
    .catch((thrown: unknown) => thrown);
  t.match(error, { code: 'MILLRACE_STORE_NO_NODE' });
  t.equal(operationOf(error), 1, 'operations are counted as they were given');
  t.notOk(term.over.aborted);
  await other.set(EPOCH, text(JSON.stringify({ epoch: 9, member: 'x', nonce: 'x' })), null);
  await t.rejects(term.act(write('three')), { code: 'MILLRACE_MASTER_DEPOSED' });
  t.ok(term.over.aborted);
  t.equal(await other.exists('/three'), null);
  await all.advance(100);
  t.strictSame(
    all.terms.map((each) => each.term.epoch),
    [1, 10],
    'and queues again',
  );
});

void t.test('a claim whose answer got lost is known by its nonce', async (t) => {
  const all = await Candidates.open();
  all.store.faults.push({ method: 'multi', how: 'lose', about: EPOCH, times: 1 });
  all.store.faults.push({ method: 'create', how: 'lose', about: MASTERS, times: 1 });
  await all.queue('a');
  await all.advance(200);
  t.strictSame(
    all.terms.map(({ term }) => term.epoch),
    [1],
  );
  t.equal((await (await all.real.connect()).children(MASTERS)).length, 1, 'queued once');
  await all.terms[0]!.term.act(write('one'));
});

void t.test('a store that refuses for a while, and an epoch that was edited, are waited out', async (t) => {
  const all = await Candidates.open();
  const other = await all.real.connect();
  await other.create(EPOCH, text('nonsense'));
  all.store.faults.push({ method: 'children', how: 'refuse', times: 2 });
  await all.queue('a');
  await all.advance(10_000);
  t.equal(all.terms.length, 0);
  await other.set(EPOCH, text(JSON.stringify({ epoch: 4, member: 'x', nonce: 'x' })), null);
  await all.advance(10_000);
  t.strictSame(
    all.terms.map(({ term }) => term.epoch),
    [5],
  );
});

void t.test('without proof for half of the timeout, a master stops before its session can be lost', async (t) => {
  const all = await Candidates.open();
  all.store.timeoutMs = 4000;
  const { session } = await all.queue('a');
  const { term } = all.terms[0]!;
  await all.advance(60_000);
  t.notOk(term.over.aborted, 'proofs go on');
  all.store.faults.push({ method: 'multi', how: 'refuse', times: Infinity });
  await all.advance(1_400);
  t.notOk(term.over.aborted, 'one lost proof is nothing');
  await all.advance(1_100);
  t.ok(term.over.aborted);
  t.equal(session.state, 'connected');
  all.store.faults.length = 0;
  await all.advance(1_000);
  t.strictSame(
    all.terms.map((each) => each.term.epoch),
    [1, 2],
  );
});

void t.test('own nodes are told apart by their session, and numbers are read right', async (t) => {
  const all = await Candidates.open();
  const session = await all.store.connect();
  const clock = all.clock;
  const first = await createProtected(session, clock, MASTERS, 'x', text('1'), 'ephemeral-sequential');
  t.equal(first, 'x_0000000000');
  all.store.faults.push({ method: 'create', how: 'refuse', times: 1 });
  const refused = createProtected(session, clock, MASTERS, 'y', text('2'), 'ephemeral-sequential');
  await settle();
  await all.advance(100);
  t.equal(await refused, 'y_0000000001');
  t.equal(textOf((await session.get(`${MASTERS}/y_0000000001`)).data), '2');
  await t.rejects(createProtected(session, clock, '/none', 'z', text(''), 'ephemeral-sequential'), {
    code: 'MILLRACE_STORE_NO_NODE',
  });
  t.strictSame(['a_0000000007', 'a_-000000007', 'a-0000000007', 'a_7', 'a_12345678901'].map(sequenceOf), [
    7,
    -7,
    null,
    null,
    12345678901,
  ]);
});
