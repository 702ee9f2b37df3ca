// Some clients of a simulated store that do random things while random things happen to them, and what must hold
// whatever happened. Every write makes a node of its own below "/log" in the same transaction, so that what was carried
// out, and in which order, can be read in the end.

import { VirtualClock } from '../../../../engine/clock.js';
import type { Session, StoreNode } from '../../../../coordination/store/contract.js';
import type { SimulatedFaults } from '../../../../coordination/store/simulated/faults.js';
import { SimulatedStore } from '../../../../coordination/store/simulated/simulated-store.js';
import { hasCode, isSessionOver } from '../../../../coordination/store/store-errors.js';
import { isMillraceError } from '../../../../engine/errors.js';
import { text, textOf } from '../contract.js';

export type Step =
  | { readonly type: 'write' | 'ephemeral' | 'read' | 'synced read' | 'close' | 'connect'; readonly client: number }
  | { readonly type: 'guarded'; readonly client: number; readonly version: number }
  | { readonly type: 'partition' | 'heal' | 'disconnect' | 'expire'; readonly client: number }
  | { readonly type: 'cut' | 'join'; readonly server: number }
  | { readonly type: 'stop' | 'start' }
  | { readonly type: 'wait'; readonly ms: number };

interface Call {
  readonly name: string;
  readonly session: Session;
  outcome: 'open' | 'done' | 'not done' | 'nobody knows';
}

interface Client {
  readonly name: string;
  session: Session | null;
  /** The newest revision of "/x" that this session was shown, or made. */
  shown: bigint;
  told: StoreNode | null;
  names: readonly string[] | null;
}

export class World {
  /** What is wrong; empty when all is well. */
  readonly wrong: string[] = [];
  /** Everything that happened, in order. */
  readonly trace: string[] = [];
  private readonly clock = new VirtualClock();
  private readonly store: SimulatedStore;
  private readonly clients: Client[];
  private readonly calls: Call[] = [];
  private readonly open = new Set<Promise<unknown>>();
  /** The newest revision of "/x" of which anybody was told that it is decided. */
  private acknowledged = 0n;
  private nextName = 0;

  constructor(seed: number, faults: Partial<SimulatedFaults>) {
    this.store = new SimulatedStore({ clock: this.clock, seed, faults });
    const names = ['a', 'b', 'c'];
    this.clients = names.map((name) => ({ name, session: null, shown: 0n, told: null, names: null }));
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.prepared();
    for (const client of this.clients) this.connect(client);
    await this.advance(200);
    for (const step of steps) {
      this.step(step);
      await this.advance(step.type === 'wait' ? step.ms : 3);
    }
    this.trace.push('calm');
    this.store.calm();
    await this.advance(40_000);
    if (this.open.size > 0) this.wrong.push(`${this.open.size} calls never ended`);
    await this.check();
    const closed = this.store.close();
    await this.advance(20_000);
    await closed;
    if (this.clock.nextDueMs() !== undefined) this.wrong.push('a timer is left behind');
  }

  private step(step: Step): void {
    switch (step.type) {
      case 'wait':
        return;
      case 'stop':
      case 'start':
        return this.store[step.type]();
      case 'cut':
        return this.store.cutServer(step.server);
      case 'join':
        return this.store.joinServer(step.server);
      default:
        return this.stepOf(step, this.clients[step.client]!);
    }
  }

  private stepOf(step: Extract<Step, { readonly client: number }>, client: Client): void {
    const { session } = client;
    switch (step.type) {
      case 'partition':
      case 'heal':
      case 'disconnect':
        return this.store[step.type](client.name);
      case 'connect':
        return this.connect(client);
      default:
        if (session !== null) this.stepIn(step, client, session);
    }
  }

  private stepIn(step: Extract<Step, { readonly client: number }>, client: Client, session: Session): void {
    switch (step.type) {
      case 'write':
        return this.write(client, session, null);
      case 'guarded':
        return this.write(client, session, step.version);
      case 'ephemeral':
        return this.ephemeral(session);
      case 'read':
        return this.read(client, session, false);
      case 'synced read':
        return this.read(client, session, true);
      case 'expire':
        return this.watchOver(this.store.expire(session.id));
      case 'close':
        return this.watchOver(session.close());
      default:
        throw new Error(`nobody does "${step.type}"`);
    }
  }

  private connect(client: Client): void {
    if (client.session?.ended.aborted === false) return;
    client.session = null;
    const connecting = this.store
      .client(client.name)
      .connect()
      .then(
        (session) => this.connected(client, session),
        (error: unknown) => this.trace.push(`${client.name}: ${isMillraceError(error) ? error.code : String(error)}`),
      );
    this.watchOver(connecting);
  }

  private connected(client: Client, session: Session): void {
    if (client.session !== null) {
      this.watchOver(session.close());
      return;
    }
    Object.assign(client, { session, shown: 0n, told: null, names: null });
    session.onEvent(({ type }) => this.trace.push(`${client.name}: ${type} ${session.id}`));
    session.watchNode('/x', (node) => {
      if (session.ended.aborted) this.wrong.push(`"${session.id}" is over and was told of a node`);
      if (node === null || (client.told !== null && node.stat.modifyRevision <= client.told.stat.modifyRevision)) {
        this.wrong.push(`the watch of "${session.id}" went back`);
      }
      client.told = node;
    });
    session.watchChildren('/log', (names) => (client.names = names));
  }

  private write(client: Client, session: Session, version: number | null): void {
    const name = `n${this.nextName++}`;
    const multi = session.multi([
      { type: 'create', path: `/log/${name}`, data: text(session.id) },
      { type: 'set', path: '/x', data: text(name), version },
    ]);
    const shown = async (): Promise<void> => {
      const [, set] = await multi;
      if (set?.type !== 'set') return;
      client.shown = max(client.shown, client.session === session ? set.stat.modifyRevision : 0n);
      this.acknowledged = max(this.acknowledged, set.stat.modifyRevision);
    };
    this.call(name, session, shown());
  }

  private ephemeral(session: Session): void {
    const name = `e${this.nextName++}`;
    this.call(name, session, session.create(`/e/${name}`, text(''), 'ephemeral'));
  }

  private read(client: Client, session: Session, synced: boolean): void {
    const before = this.acknowledged;
    const read = async (): Promise<void> => {
      // Made together: a session carries out its calls in their order, if both are.
      const [ready, node] = await Promise.all([synced ? session.sync('/x') : null, session.get('/x')]);
      const { modifyRevision } = node.stat;
      if (ready === undefined && modifyRevision < before) this.wrong.push('a read behind a sync was old');
      if (client.session !== session) return;
      if (modifyRevision < client.shown) this.wrong.push(`a read of "${session.id}" went back`);
      client.shown = modifyRevision;
    };
    this.call('', session, read());
  }

  private call(name: string, session: Session, made: Promise<unknown>): void {
    const call: Call = { name, session, outcome: 'open' };
    if (name !== '') this.calls.push(call);
    const told = (outcome: Call['outcome'], how: string): void => {
      call.outcome = outcome;
      this.trace.push(`${this.clock.now().toFixed(3)} ${session.id} ${name}: ${how}`);
    };
    const over = made.then(
      () => told('done', 'done'),
      (error: unknown) => {
        if (!isMillraceError(error)) this.wrong.push(String(error));
        const unknown = hasCode(error, 'MILLRACE_STORE_UNCERTAIN');
        const lost = isSessionOver(error);
        told(unknown || lost ? 'nobody knows' : 'not done', isMillraceError(error) ? error.code : String(error));
      },
    );
    this.watchOver(over);
  }

  /** What must hold in the end, when everything is healed. */
  private async check(): Promise<void> {
    const checker = await this.waitedFor(this.store.client('checker').connect());
    const living = this.clients.flatMap(({ session }) => (session?.ended.aborted === false ? session.id : []));
    const names = await this.waitedFor(checker.children('/log'));
    const revisions = new Map<string, bigint>();
    for (const name of names) {
      revisions.set(name, (await this.waitedFor(checker.get(`/log/${name}`))).stat.createRevision);
    }
    const ephemerals = new Map<string, string | null>();
    for (const name of await this.waitedFor(checker.children('/e'))) {
      const stat = await this.waitedFor(checker.exists(`/e/${name}`));
      ephemerals.set(name, stat?.ephemeralOwner ?? null);
      if (!living.includes(stat?.ephemeralOwner ?? '')) this.wrong.push(`"${name}" outlived its session`);
    }
    this.checkCalls(revisions, ephemerals, living);
    const last = await this.waitedFor(checker.get('/x'));
    for (const { name, session, told, names: heard } of this.clients) {
      if (session?.ended.aborted !== false) continue;
      if (session.state !== 'connected') this.wrong.push(`"${name}" is ${session.state} in the end`);
      if (told === null || textOf(told.data) !== textOf(last.data)) this.wrong.push(`"${name}" missed the last state`);
      if (heard?.join() !== names.join()) this.wrong.push(`"${name}" missed the last list`);
    }
    this.trace.push(`end ${textOf(last.data)} ${[...revisions].join(' ')} ${[...ephemerals].join(' ')}`);
  }

  private checkCalls(
    revisions: ReadonlyMap<string, bigint>,
    ephemerals: ReadonlyMap<string, string | null>,
    living: readonly string[],
  ): void {
    const last = new Map<Session, bigint>();
    for (const { name, session, outcome } of this.calls) {
      if (outcome === 'open') this.wrong.push(`"${name}" never ended`);
      const revision = revisions.get(name);
      if (name.startsWith('e')) {
        if (outcome === 'done' && living.includes(session.id) && ephemerals.get(name) !== session.id) {
          this.wrong.push(`"${name}" is gone and its session lives`);
        }
        if (outcome === 'not done' && ephemerals.has(name)) this.wrong.push(`"${name}" was not done, and is there`);
        continue;
      }
      if (outcome === 'done' && revision === undefined) this.wrong.push(`"${name}" was done, and is not there`);
      if (outcome === 'not done' && revision !== undefined) this.wrong.push(`"${name}" was not done, and is there`);
      if (revision === undefined) continue;
      if (revision < (last.get(session) ?? 0n)) this.wrong.push(`"${name}" overtook an earlier call of its session`);
      last.set(session, revision);
    }
  }

  private async prepared(): Promise<void> {
    const faults = { refusedShare: 0, brokenShare: 0 };
    const wanted = this.store.faults;
    this.store.setFaults(faults);
    const session = await this.waitedFor(this.store.connect());
    for (const path of ['/x', '/log', '/e']) await this.waitedFor(session.create(path, text('')));
    await this.waitedFor(session.close());
    this.store.setFaults(wanted);
  }

  private watchOver(made: Promise<unknown>): void {
    this.open.add(made);
    const over = (): void => void this.open.delete(made);
    made.then(over, over);
  }

  private async waitedFor<T>(made: Promise<T>): Promise<T> {
    let over = false;
    const ends = (): void => void (over = true);
    made.then(ends, ends);
    for (let turns = 0; turns < 1000; turns++) {
      await quiet();
      if (over) return await made;
      this.clock.step(this.clock.nextDueMs() ?? 0);
    }
    throw new Error('it never ended');
  }

  private async advance(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    await quiet();
    while (this.clock.step(untilMs)) await quiet();
  }
}

/** Lets everything happen that waits for no time. */
async function quiet(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function max(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}
