// One host of the cluster, without its threads and without its HTTP: a session with the store, and in each session its
// place in the list of hosts, in the queue for master, and the assignments that it follows. One process alone is a
// cluster of one, in the same way. Main thread.
//
//   SessionKeeper ─ each session ─► register ─► Election ─ as master ─► Master
//                                      └──────► DirectoryCache of assignments ─► Runs, Memberships ─► TopologyRunner
//   Runs, Memberships, CheckpointWriter and Outbox outlive sessions: losing the store does not stop data.

import type { Clock } from '../../engine/clock.js';
import { failure, reasonOf, type MillraceError } from '../../engine/errors.js';
import { HOST_START_MAX_MS, SLOTS_MAX } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type { Random } from '../../engine/random.js';
import { CheckpointWriter } from '../checkpoints.js';
import { claimFormat } from '../data-format.js';
import { Drains } from '../drains.js';
import { Master } from '../master/master.js';
import { ASSIGNMENTS, EPOCH, MASTERS, memberOf, reportPath } from '../paths.js';
import { DirectoryCache } from '../recipes/directory-cache.js';
import { Election } from '../recipes/election.js';
import { forgetRefusals, leaveRefusal, listRefusals, type Refusal } from '../refusals.js';
import type { Session, Store } from '../store/contract.js';
import { Hosts } from '../hosts.js';
import { SessionKeeper } from '../store/session-keeper.js';
import { aborted } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import { Replacements } from '../replacements.js';
import { Topologies } from '../topologies.js';
import type { HostRecord } from '../topology-records.js';
import type { Version } from '../versions.js';
import { Assigned } from './assigned.js';
import { Memberships } from './memberships.js';
import { ParameterNodes } from '../parameters.js';
import { LiveParameters } from './live-parameters.js';
import { Outbox } from './outbox.js';
import { ensureLayout, register, showLeaving } from './registration.js';
import type { TopologyRunner } from './runner.js';
import { Runs } from './runs.js';

export interface ClusterHostOptions {
  readonly store: Store;
  /** What the host is called; `A-Z a-z 0-9 . _ -`. */
  readonly host: string;
  /** Workers that may run here: 1 to `SLOTS_MAX`. */
  readonly slots: number;
  readonly runner: TopologyRunner;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** Milliseconds since the epoch, for what people read. */
  readonly wallMs: () => number;
  /** Where its HTTP interface is; null when it does not listen. Asked for when it registers. Default: it does not. */
  readonly url?: () => string | null;
  /** Where other hosts join what it leads, `address:port`; null when they cannot. Default: they cannot. */
  readonly door?: () => string | null;
  /** What it is called by topologies that ask for such hosts. Default: nothing. */
  readonly labels?: readonly string[];
  /** Of what hosts say to each other. Default 0. */
  readonly protocol?: number;
  /** Of Millrace, for people. Default: it is not told. */
  readonly version?: string;
  /** Told the parameters of the cluster whenever they change. Default: nobody is. */
  readonly onParameters?: (parameters: ParameterValues) => void;
}

export class ClusterHost {
  /** This life of the host. */
  readonly boot: string;
  /** What users ask for. */
  readonly topologies: Topologies;
  /** … of new versions of these. */
  readonly replacements: Replacements;
  /** Who is there. */
  readonly hosts: Hosts;
  /** Which of them are drained. */
  readonly drains: Drains;
  /** What components are to see, as it is set. */
  readonly parameters: ParameterNodes;
  /** The same, as those that run here see it. */
  readonly liveParameters: LiveParameters;
  private readonly options: ClusterHostOptions;
  private readonly keeper: SessionKeeper;
  private readonly runs: Runs;
  private readonly memberships: Memberships;
  private readonly checkpoints: CheckpointWriter;
  private readonly outbox: Outbox;
  private readonly assigned: Assigned;
  private closing: Promise<void> | null = null;
  /** The last one in which it was registered. */
  private session: Session | null = null;
  /** The last report has something that a master has to read. */
  private unread = false;
  /** Aborted when trying again would not help. */
  private readonly refused = new AbortController();
  /** Why it is refused, as others have been told. */
  private told = '';

  constructor(options: ClusterHostOptions) {
    const { store, clock, logger, random, host, wallMs } = options;
    this.options = { ...options, slots: Math.min(Math.max(1, Math.floor(options.slots)), SLOTS_MAX) };
    this.boot = newId(random);
    const session = (): Promise<Session> => this.keeper.current();
    this.keeper = new SessionKeeper({ store, clock, logger, each: (each) => this.inSession(each) });
    const asked = { session, newId: () => newId(random) };
    this.topologies = new Topologies(asked);
    this.hosts = new Hosts(session);
    this.replacements = new Replacements({ ...asked, topologies: this.topologies, hosts: this.hosts });
    this.drains = new Drains({ session, hosts: this.hosts, wallMs });
    this.parameters = new ParameterNodes({ session, topologies: this.topologies });
    this.liveParameters = new LiveParameters({ logger, cluster: options.onParameters ?? (() => undefined) });
    this.checkpoints = new CheckpointWriter({ session, clock, logger });
    this.outbox = new Outbox({ session, clock, logger, member: memberOf(host, this.boot) });
    this.assigned = new Assigned(logger);
    const own = { ...options, boot: this.boot, session };
    const parts = (): number => this.memberships.count;
    this.runs = new Runs({ ...own, checkpoints: this.checkpoints, outbox: this.outbox, parts });
    this.memberships = new Memberships({ ...own, changed: () => this.runs.report() });
  }

  /**
   * Joins the cluster; resolves when it is registered.
   *
   * @throws MILLRACE_DATA_NEWER; why it could not within `HOST_START_MAX_MS`; then it is closed
   */
  async start(): Promise<void> {
    this.keeper.start();
    try {
      await Promise.race([this.keeper.ready(HOST_START_MAX_MS), aborted(this.refused.signal)]);
      this.refused.signal.throwIfAborted();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Slots in all, and those that something runs in. */
  get slots(): { readonly total: number; readonly used: number } {
    return { total: this.options.slots, used: this.runs.slotsUsed + this.memberships.slotsUsed };
  }

  /** Why it is in no cluster at present; null when it is. */
  get problem(): string | null {
    return this.keeper.why;
  }

  /** Hosts that the cluster refused lately, the newest first. */
  async refusals(): Promise<readonly Refusal[]> {
    return await listRefusals(await this.keeper.current(), this.options.wallMs());
  }

  /** Ends what runs here, keeps its progress, and leaves. Wishes stand: the next host goes on with them. */
  async close(): Promise<void> {
    this.closing ??= this.leave();
    await this.closing;
  }

  private async leave(): Promise<void> {
    const { host } = this.options;
    this.tellLeaving();
    this.keeper.leave(failure('MILLRACE_HOST_CLOSED', { host }));
    [this.unread] = await Promise.all([this.runs.close(), this.memberships.close()]);
    await this.checkpoints.close();
    await this.outbox.close();
    await this.keeper.close();
  }

  private follow(versions: readonly Version[]): void {
    this.runs.follow(versions);
    this.memberships.follow(versions);
  }

  /** What it says of itself. */
  private record(): HostRecord {
    const { host, slots, labels, protocol, version } = this.options;
    const url = this.options.url?.() ?? null;
    const door = this.options.door?.() ?? null;
    return {
      host,
      boot: this.boot,
      slots,
      ...(url === null ? {} : { url }),
      ...(door === null ? {} : { door }),
      ...(labels === undefined || labels.length === 0 ? {} : { labels }),
      ...(protocol === undefined ? {} : { protocol }),
      ...(version === undefined ? {} : { version }),
    };
  }

  /** So that nothing is placed here any more, and the master knows a goodbye from a failure; nobody waits for it. */
  private tellLeaving(): void {
    const { session } = this;
    // Nobody waits for a host that shares nothing.
    if (session === null || session.ended.aborted || this.record().door === undefined) return;
    showLeaving(session, this.record()).catch((error: unknown) => {
      this.options.logger.debug(`nobody is told that the host leaves: ${reasonOf(error)}`);
    });
  }

  /** So that others see it; the same again is no news. */
  private async tellRefused(session: Session, { code, message }: MillraceError): Promise<void> {
    if (message === this.told) return;
    const { host, boot, url, door, version } = this.record();
    const known = {
      ...(url === undefined ? {} : { url }),
      ...(door === undefined ? {} : { door }),
      ...(version === undefined ? {} : { version }),
    };
    try {
      await leaveRefusal(session, { host, boot, ...known, code, reason: message, atMs: this.options.wallMs() });
      this.told = message;
    } catch (error) {
      this.options.logger.debug(`others are not told that this host is refused: ${reasonOf(error)}`);
    }
  }

  /** What goes with one session; resolves with what ends it. */
  private async inSession(session: Session): Promise<() => Promise<void>> {
    const { host, clock, logger, wallMs, random } = this.options;
    const member = memberOf(host, this.boot);
    await claimFormat(session).catch((error: unknown) => {
      if (hasCode(error, 'MILLRACE_DATA_NEWER')) {
        this.refused.abort(error);
        // Others run what it ran.
        this.follow([]);
      }
      throw error;
    });
    await ensureLayout(session);
    await register(session, this.record()).catch(async (error: unknown) => {
      // It was away for so long that another one has its name or address: nothing that runs is this host's any more.
      if (hasCode(error, 'MILLRACE_HOST_NAME_TAKEN', 'MILLRACE_HOST_ADDRESS_TAKEN')) {
        this.follow([]);
        await this.tellRefused(session, error);
      }
      throw error;
    });
    this.told = '';
    await forgetRefusals(session, this.record());
    this.session = session;
    // A server that lags would show an older list: what runs by the newest one would be ended and start again.
    await session.sync(ASSIGNMENTS);
    const follow = (): void => this.follow(this.assigned.read(assignments.nodes));
    const endParameters = this.liveParameters.inSession(session);
    const assignments: DirectoryCache = new DirectoryCache(session, ASSIGNMENTS, follow);
    const election = new Election({
      session,
      clock,
      logger,
      at: { queue: MASTERS, epoch: EPOCH },
      member,
      newId: () => newId(random),
      deposed: (epoch, cause) => failure('MILLRACE_MASTER_DEPOSED', { host: member, epoch }, { cause }),
      lead: (term) => new Master({ session, term, clock, logger, wallMs }).lead(),
    });
    election.start();
    return async () => {
      endParameters();
      assignments.close();
      await election.close();
      if (this.closing !== null && !this.unread && !session.ended.aborted) await forgetReport(session, member, logger);
    };
  }
}

/** An id of 96 random bits. */
function newId(random: Random): string {
  const part = (): string => (random.nextInt32() >>> 0).toString(16).padStart(8, '0');
  return `${part()}${part()}${part()}`;
}

/** A clean goodbye: nothing is left to be read in it. */
async function forgetReport(session: Session, member: string, logger: Logger): Promise<void> {
  await session.delete(reportPath(member), null).catch((error: unknown) => {
    if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) logger.debug(`a report was not deleted: ${reasonOf(error)}`);
  });
}
