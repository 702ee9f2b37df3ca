// The spout `zookeeper-changes`: what stands below a path, and then every change of it. It tells states and not events,
// as ZooKeeper does: when a node is changed faster than its tuples are done, the states in between are left out, the
// last one never. Invariants: of one node one tuple is out at a time, so its states arrive in their order; a state that
// failed is emitted again unless a newer one has taken its place; waiting data is bounded in bytes (what is beyond is
// read again when its turn comes) and nodes are bounded in number. On the worker's thread.
//
//   watches ─► ready: path → last state ─nextTuple─► out ──ack──► done
//                ▲                                    │ └─fail─► again after 100 ms, 200 ms, … (replay.ts)
//                └── changed meanwhile: later ◄───────┘           a newer state goes instead

import type { SpoutContext } from '../../../engine/component/context.js';
import { withDeadLetters } from '../../../engine/component/dead-letter.js';
import type { Emit } from '../../../engine/component/emit.js';
import { Replay } from '../../../engine/component/replay.js';
import { Spout, type FailCause, type NextTuple, type TreeFailure } from '../../../engine/component/spout.js';
import { RealClock, type Clock } from '../../../engine/clock.js';
import { Settings } from '../../../engine/connect/settings.js';
import { failure, isMillraceError, MillraceError, reasonOf } from '../../../engine/errors.js';
import {
  CHANGES_HELD_BYTES_MAX,
  CHANGES_NODES,
  CHANGES_NODES_MAX,
  CHANGES_OUT_BYTES_MAX,
  CHANGES_PENDING,
  CHANGES_PENDING_MAX,
  STORE_RETRY_MIN_MS,
} from '../../../engine/limits.js';
import type { Session, Stat } from '../../store/contract.js';
import { checkPath } from '../../store/node-path.js';
import { pause } from '../../store/signals.js';
import { hasCode, isPassing } from '../../store/store-errors.js';
import { dataAs, DATA_FORMATS, type DataFormat } from './data.js';
import { readPlace, type StorePlace } from './place.js';
import { Subtree } from './subtree.js';
import { leaseSession, openZookeeper, type OpenStore, type SessionLease } from './thread-session.js';

/** What tests replace. */
export interface ConnectorInternals {
  readonly open?: OpenStore;
  readonly clock?: Clock;
  /** Bytes of data that wait. Default `CHANGES_HELD_BYTES_MAX`. */
  readonly heldBytesMax?: number;
}

/** The fields of a change. */
export const CHANGE_FIELDS = ['path', 'kind', 'data', 'version', 'createRevision', 'modifyRevision'] as const;

/** What a `zookeeper-changes` with these settings emits. */
export const changesOutputs = withDeadLetters(() => ({ default: CHANGE_FIELDS }));

/** The values of a change. */
export type ChangeValues = [
  path: string,
  kind: 'set' | 'deleted',
  data: unknown,
  version: number,
  createRevision: bigint,
  modifyRevision: bigint,
];

/** The last state of a node that is not emitted yet. */
interface Change {
  readonly path: string;
  readonly kind: 'set' | 'deleted';
  readonly stat: Stat;
  /** Null: of a deleted node, and of one that is read again because too much waits. */
  data: Uint8Array | null;
}

/** A change that is out. */
interface OpenChange {
  readonly path: string;
  readonly values: ChangeValues;
  readonly bytes: number;
  givenUp: boolean;
}

/** Emits the changes of the nodes below a path. */
export class ZookeeperChanges extends Spout {
  private readonly settings: Settings;
  private readonly place: StorePlace;
  private readonly path: string;
  private readonly format: DataFormat;
  private readonly nodesMax: number;
  private readonly pendingMax: number;
  private readonly retries: number | null;
  private readonly internals: ConnectorInternals;
  private readonly heldBytesMax: number;
  private readonly subtree: Subtree;
  /** What may be emitted, in the order in which it became so. */
  private readonly ready = new Map<string, Change>();
  /** What changed while a tuple of its node is out. */
  private readonly later = new Map<string, Change>();
  private readonly out = new Map<string, OpenChange>();
  /** Nodes that a tuple has told of, and not yet of their end. */
  private readonly told = new Set<string>();
  private heldBytes = 0;
  private outBytes = 0;
  private broken: Error | null = null;
  private context!: SpoutContext;
  private replay = new Replay<OpenChange>(() => 0);
  private lease: SessionLease | null = null;
  private session: Session | null = null;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>, internals: ConnectorInternals = {}) {
    super();
    const settings = new Settings('zookeeper-changes', config);
    this.settings = settings;
    this.place = readPlace(settings);
    this.path = config['path'] === undefined ? '/' : settings.text('path');
    try {
      checkPath(this.path);
    } catch (error) {
      throw settings.wrong('path', `is no path of a node: ${reasonOf(error)}`);
    }
    this.format = settings.choice('data', 'bytes', DATA_FORMATS);
    this.nodesMax = settings.whole('nodesMax', CHANGES_NODES, 1, CHANGES_NODES_MAX);
    this.pendingMax = settings.whole('pendingMax', CHANGES_PENDING, 1, CHANGES_PENDING_MAX);
    this.retries = settings.retries();
    this.internals = internals;
    this.heldBytesMax = internals.heldBytesMax ?? CHANGES_HELD_BYTES_MAX;
    this.subtree = new Subtree(this.path, this.nodesMax, {
      set: ({ path, stat, data }) => this.add({ path, kind: 'set', stat, data }),
      deleted: (path, stat) => this.add({ path, kind: 'deleted', stat, data: null }),
      tooMany: () => {
        const details = { path: this.path, nodesMax: this.nodesMax, ceiling: CHANGES_NODES_MAX };
        this.broken = failure('MILLRACE_CHANGES_TOO_MANY', details, { fatal: true });
        this.context.wake();
      },
      failed: (error) => {
        this.broken = fatal(error);
        this.context.wake();
      },
    });
  }

  /** @throws MILLRACE_CONNECT_SETTING with more than one task; MILLRACE_ZOOKEEPER_CONNECT_STRING */
  override async open(context: SpoutContext): Promise<void> {
    this.context = context;
    const { parallelism, logger } = context;
    if (parallelism !== 1) {
      const what = `must be 1, not ${parallelism}: every task would get the same changes`;
      throw this.settings.wrong('parallelism', what);
    }
    this.replay = new Replay(() => context.now(), { retries: this.retries });
    const { open = openZookeeper, clock = new RealClock() } = this.internals;
    this.lease = await leaseSession(this.place, { open, clock, logger });
    this.lease.follow((session) => {
      void this.begin(session, clock);
      return () => {
        this.session = null;
        this.subtree.detach();
      };
    });
  }

  override nextTuple(emit: Emit<ChangeValues>): NextTuple | Promise<NextTuple> {
    if (this.broken !== null) throw this.broken;
    if (this.replay.waiting > 0 && this.replay.emitDue(emit, (open) => this.again(open))) return undefined;
    if (this.out.size >= this.pendingMax || this.outBytes >= CHANGES_OUT_BYTES_MAX) return undefined;
    const [first] = this.ready.values();
    if (first === undefined) return undefined;
    this.ready.delete(first.path);
    if (first.kind === 'set' && first.data === null) return this.emitRead(first, emit);
    this.heldBytes -= first.data?.byteLength ?? 0;
    this.emitChange(first, emit);
    return undefined;
  }

  override ack(id: unknown): void {
    const open = id as OpenChange;
    this.replay.ack(open);
    this.done(open);
  }

  override fail(id: unknown, _cause?: FailCause, failure?: TreeFailure): void {
    const open = id as OpenChange;
    if (this.later.has(open.path) && !open.givenUp) {
      this.ack(open);
      return;
    }
    if (!this.replay.fail(open, failure)) return;
    open.givenUp = true;
    this.context.metrics.counter('deadLetters').add();
  }

  override async close(): Promise<void> {
    this.subtree.detach();
    const { lease } = this;
    this.lease = null;
    await lease?.release();
  }

  /** A new session may lead to a server that lags behind what was told already. */
  private async begin(session: Session, clock: Clock): Promise<void> {
    this.session = session;
    this.context.metrics.counter('sessions').add();
    for (;;) {
      try {
        await session.sync(this.path);
        break;
      } catch (error) {
        if (session.ended.aborted || this.lease === null) return;
        if (!isPassing(error)) this.context.logger.warn(`the changes below "${this.path}" wait: ${reasonOf(error)}`);
        await pause(clock, STORE_RETRY_MIN_MS, session.ended);
      }
    }
    if (this.session === session) this.subtree.attach(session);
  }

  private add(change: Change): void {
    const { path } = change;
    const queue = this.out.has(path) ? this.later : this.ready;
    this.heldBytes -= queue.get(path)?.data?.byteLength ?? 0;
    // What came and went before anybody was told of it is not told, or nodes that come and go would pile up here.
    if (change.kind === 'deleted' && queue === this.ready && !this.told.has(path)) {
      queue.delete(path);
      return;
    }
    const bytes = change.data?.byteLength ?? 0;
    if (this.heldBytes + bytes > this.heldBytesMax) change.data = null;
    else this.heldBytes += bytes;
    queue.set(path, change);
    this.context.metrics.gauge('nodes').set(this.subtree.size);
    this.context.wake();
  }

  /** What too much waited for to be kept is read again, and may be newer by now. */
  private async emitRead(change: Change, emit: Emit<ChangeValues>): Promise<void> {
    const { path } = change;
    const { session } = this;
    this.told.add(path);
    // Until there is a session again, and others have had their turn.
    const putOff = (): void => {
      if (!this.ready.has(path)) this.ready.set(path, change);
    };
    if (session === null) {
      await pause(this.internals.clock ?? new RealClock(), STORE_RETRY_MIN_MS, this.context.signal);
      putOff();
      return;
    }
    try {
      const { data, stat } = await session.get(path);
      // A watch has told of a newer state meanwhile, which comes by itself.
      if (!this.ready.has(path)) this.emitChange({ ...change, data, stat }, emit);
    } catch (error) {
      // It is deleted, which its watch will tell.
      if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return;
      if (!isPassing(error) && !session.ended.aborted) throw error;
      await pause(this.internals.clock ?? new RealClock(), STORE_RETRY_MIN_MS, this.context.signal);
      putOff();
    }
  }

  /** @throws MILLRACE_STORE_CONTENT when the data is not what the settings say: it is left out until it changes */
  private emitChange({ path, kind, data, stat }: Change, emit: Emit<ChangeValues>): void {
    const { version, createRevision, modifyRevision } = stat;
    const value = kind === 'deleted' ? null : dataAs(this.format, path, data ?? new Uint8Array());
    const values: ChangeValues = [path, kind, value, version, createRevision, modifyRevision];
    const open: OpenChange = { path, values, bytes: data?.byteLength ?? 0, givenUp: false };
    this.out.set(path, open);
    this.outBytes += open.bytes;
    try {
      emit(values, { id: open });
    } catch (thrown) {
      this.done(open);
      throw thrown;
    }
    if (kind === 'set') this.told.add(path);
    else this.told.delete(path);
  }

  /** The values to emit again; null when a newer state goes instead. */
  private again(open: OpenChange): ChangeValues | null {
    if (!this.later.has(open.path) || open.givenUp) return open.values;
    this.done(open);
    return null;
  }

  private done(open: OpenChange): void {
    const { path } = open;
    if (this.out.get(path) !== open) return;
    this.out.delete(path);
    this.outBytes -= open.bytes;
    const next = this.later.get(path);
    if (next !== undefined) {
      this.later.delete(path);
      this.ready.set(path, next);
    }
    this.context.wake();
  }
}

/** The same error, as one that ends the topology. */
function fatal(error: unknown): Error {
  if (!isMillraceError(error)) return error instanceof Error ? error : new Error(reasonOf(error));
  return new MillraceError(error.code, error.message, error.hint, { cause: error, fatal: true });
}
