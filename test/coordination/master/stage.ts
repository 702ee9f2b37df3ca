// A master on virtual time, with hosts that are nothing but their nodes in the store: they come, go, and say what the
// test has them say.

import { VirtualClock } from '../../../engine/clock.js';
import type { Logger } from '../../../engine/log.js';
import { ensureLayout } from '../../../coordination/host/registration.js';
import { Master } from '../../../coordination/master/master.js';
import {
  assignmentPath,
  drainPath,
  EPOCH,
  hostPath,
  MASTERS,
  memberOf,
  reportPath,
} from '../../../coordination/paths.js';
import { Election } from '../../../coordination/recipes/election.js';
import { fromNode, toData } from '../../../coordination/store/json-node.js';
import type { Session } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { Topologies, type NewTopology } from '../../../coordination/topologies.js';
import {
  isAssignment,
  type Assignment,
  type HostRecord,
  type RunReport,
} from '../../../coordination/topology-records.js';
import { settle, topology } from '../cluster.js';
import { hostRecord, shown } from './kit.js';

export class Stage {
  readonly clock = new VirtualClock(1000);
  readonly logged: string[] = [];
  readonly topologies: Topologies;
  private readonly store: EmbeddedStore;
  private readonly session: Session;
  private readonly hosts = new Map<string, { readonly session: Session; readonly record: HostRecord }>();
  private master: { readonly election: Election; readonly session: Session } | null = null;
  private ids = 0;

  private constructor(store: EmbeddedStore, session: Session) {
    this.store = store;
    this.session = session;
    this.topologies = new Topologies({ session: () => Promise.resolve(session), newId: () => `id${this.ids++}` });
  }

  static async open(): Promise<Stage> {
    const store = await EmbeddedStore.open({ directory: null });
    const session = await store.connect();
    await ensureLayout(session);
    return new Stage(store, session);
  }

  /** A new master, after the one that was there. */
  async lead(): Promise<void> {
    await this.depose();
    const session = await this.store.connect();
    const { clock } = this;
    const keep = (line: string): void => void this.logged.push(line);
    const logger: Logger = { debug: () => undefined, info: keep, warn: keep, error: keep };
    const election = new Election({
      session,
      clock,
      logger,
      at: { queue: MASTERS, epoch: EPOCH },
      member: 'm',
      newId: () => `nonce${this.ids++}`,
      deposed: () => new Error('deposed'),
      lead: (term) => new Master({ session, term, clock, logger, wallMs: () => clock.now() }).lead(),
    });
    election.start();
    this.master = { election, session };
    await settle();
  }

  async depose(): Promise<void> {
    await this.master?.election.close();
    await this.master?.session.close();
    this.master = null;
  }

  async join(host: string, slots: number, more: Partial<HostRecord> = {}): Promise<void> {
    const session = await this.store.connect();
    const { door, ...rest } = hostRecord(host, slots, more);
    const record: HostRecord = more.door === '' ? rest : { ...rest, door: door! };
    await session.create(hostPath(memberOf(host, record.boot)), toData(record), 'ephemeral');
    this.hosts.set(host, { session, record });
    await settle();
  }

  /** @param word - whether it says so before */
  async leave(host: string, word: 'without a word' | 'with a word' = 'without a word'): Promise<void> {
    const { session, record } = this.hosts.get(host)!;
    this.hosts.delete(host);
    if (word === 'with a word') {
      await session.set(hostPath(memberOf(host, record.boot)), toData({ ...record, leaving: true }), null);
      await settle();
    }
    await session.close();
    await settle();
  }

  async drain(host: string): Promise<void> {
    await this.session.create(drainPath(host), toData({ host, sinceMs: 1 }));
    await settle();
  }

  async undrain(host: string): Promise<void> {
    await this.session.delete(drainPath(host), null);
    await settle();
  }

  async submit(name: string, workers: number, more: Partial<NewTopology> = {}): Promise<void> {
    await this.topologies.submit(topology(name, { workers, ...more }));
    await settle();
  }

  /** What a host says of that topology. */
  async says(host: string, name: string, run: Partial<RunReport>): Promise<void> {
    const { id, revision } = await this.assignment(name);
    const { boot } = this.hosts.get(host)!.record;
    const path = reportPath(memberOf(host, boot));
    const data = toData({ host, boot, runs: [{ id, revision, state: 'running', ...run }] });
    if ((await this.session.exists(path)) === null) await this.session.create(path, data);
    else await this.session.set(path, data, null);
    await settle();
  }

  async assignment(name: string): Promise<Assignment> {
    return fromNode(await this.session.get(assignmentPath(name)), isAssignment);
  }

  /** Where it runs: `1: a/0 b/0`, the revision first. */
  async where(name: string): Promise<string> {
    if ((await this.session.exists(assignmentPath(name))) === null) return 'nowhere';
    const { revision, places } = await this.assignment(name);
    return [`${revision}:`, ...shown(places)].join(' ');
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    await settle();
    while (this.clock.step(untilMs)) await settle();
    await settle();
  }

  async close(): Promise<void> {
    await this.depose();
    for (const { session } of this.hosts.values()) await session.close();
    await this.session.close();
    await this.store.close();
  }
}
