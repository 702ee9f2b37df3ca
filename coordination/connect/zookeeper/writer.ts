// The bolt `zookeeper-writer`: each tuple writes one node. What passes (no connection, a change of the leader, an
// answer that got lost) is tried again with growing pauses until `timeout`; what the store refuses for good (another
// version, a node that is there already, …) fails the tuple with that error, or goes to the stream `dead-letter`.
// Invariant: writes of one path are carried out one after the other in the order of their tuples; those of others go
// together. On the worker's thread.

import { Bolt } from '../../../engine/component/bolt.js';
import type { BoltContext } from '../../../engine/component/context.js';
import { DEAD_LETTER, deadLetterOf, deadLetterOutput } from '../../../engine/component/dead-letter.js';
import type { Emit } from '../../../engine/component/emit.js';
import type { DynamicOutputs } from '../../../engine/component/spec.js';
import type { Tuple, Values } from '../../../engine/component/tuple.js';
import { RealClock, type Clock } from '../../../engine/clock.js';
import { Settings } from '../../../engine/connect/settings.js';
import { failure, isMillraceError, reasonOf, type MillraceError } from '../../../engine/errors.js';
import { shown } from '../../../engine/model/names.js';
import { STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS, WRITER_TIMEOUT_MS } from '../../../engine/limits.js';
import { checkPath } from '../../store/node-path.js';
import { pause, whenAborted } from '../../store/signals.js';
import { isPassing, isSessionOver } from '../../store/store-errors.js';
import type { ConnectorInternals } from './changes.js';
import { dataOf } from './data.js';
import { readPlace, type StorePlace } from './place.js';
import { leaseSession, openZookeeper, type SessionLease } from './thread-session.js';
import { WRITE_ACTIONS, writeNode, type NodeWrite, type WriteAction } from './write.js';

export const REFUSED = ['fail', 'dead-letter'] as const;

/** What a `zookeeper-writer` with these settings emits. */
export const writerOutputs: DynamicOutputs = (_inputs, { refused }) =>
  refused === 'dead-letter' ? { ...deadLetterOutput } : {};

/** Writes nodes. */
export class ZookeeperWriter extends Bolt {
  private readonly place: StorePlace;
  private readonly action: WriteAction;
  private readonly actionField: string | null;
  private readonly pathField: string;
  private readonly dataField: string;
  private readonly versionField: string | null;
  private readonly base: string;
  private readonly parents: boolean;
  private readonly refused: (typeof REFUSED)[number];
  private readonly timeoutMs: number;
  private readonly internals: ConnectorInternals;
  private readonly clock: Clock;
  /** The last write of each path that is under way. */
  private readonly last = new Map<string, Promise<void>>();
  private context!: BoltContext;
  private lease: SessionLease | null = null;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>, internals: ConnectorInternals = {}) {
    super();
    const settings = new Settings('zookeeper-writer', config);
    this.place = readPlace(settings);
    this.action = settings.choice('action', 'put', WRITE_ACTIONS);
    this.actionField = config['actionField'] === undefined ? null : settings.text('actionField');
    this.pathField = config['pathField'] === undefined ? 'path' : settings.text('pathField');
    this.dataField = config['dataField'] === undefined ? 'data' : settings.text('dataField');
    this.versionField = config['versionField'] === undefined ? null : settings.text('versionField');
    this.base = settings.optionalText('base', '');
    try {
      if (this.base !== '') checkPath(this.base);
    } catch (error) {
      throw settings.wrong('base', `is no path of a node: ${reasonOf(error)}`);
    }
    if (this.base === '/') this.base = '';
    this.parents = settings.flag('parents', true);
    this.refused = settings.choice('refused', 'fail', REFUSED);
    this.timeoutMs = settings.duration('timeout') ?? WRITER_TIMEOUT_MS;
    this.internals = internals;
    this.clock = internals.clock ?? new RealClock();
  }

  /** @throws MILLRACE_ZOOKEEPER_CONNECT_STRING */
  override async prepare(context: BoltContext): Promise<void> {
    this.context = context;
    const { open = openZookeeper } = this.internals;
    this.lease = await leaseSession(this.place, { open, clock: this.clock, logger: context.logger });
  }

  override async execute(tuple: Tuple, emit: Emit): Promise<void> {
    try {
      const write = this.writeOf(tuple);
      await this.inTurn(write.path, () => this.write(write, emit.signal));
    } catch (error) {
      if (this.refused === 'fail' || !isMillraceError(error) || isPassing(error) || isSessionOver(error)) throw error;
      this.context.metrics.counter('refused').add();
      this.giveUp(tuple, error, emit);
    }
  }

  override async close(): Promise<void> {
    const { lease } = this;
    this.lease = null;
    await lease?.release();
  }

  private giveUp(tuple: Tuple, { code, message }: MillraceError, emit: Emit): void {
    const { component, task } = this.context;
    const given = { attempts: 1, failure: { cause: 'failed', code, message, component, task } } as const;
    const send = emit as unknown as (values: Values, options: { readonly stream: string }) => void;
    send(deadLetterOf(given, tuple.values, tuple.stream), { stream: DEAD_LETTER });
  }

  private async inTurn(path: string, write: () => Promise<void>): Promise<void> {
    const mine = (this.last.get(path) ?? Promise.resolve()).then(write);
    const settled = mine.catch(() => undefined);
    this.last.set(path, settled);
    try {
      await mine;
    } finally {
      if (this.last.get(path) === settled) this.last.delete(path);
    }
  }

  /** @throws the refusal of the store, or, when time is over, what kept it from being done */
  private async write(write: NodeWrite, given: AbortSignal): Promise<void> {
    const over = new AbortController();
    const timer = this.clock.after(this.timeoutMs, () => over.abort());
    const off = whenAborted([given, this.context.signal], () => over.abort());
    let problem: Error | null = null;
    const asked = { once: false };
    try {
      for (let waitMs = STORE_RETRY_MIN_MS; ; waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS)) {
        try {
          await this.tryOnce(write, over.signal, asked);
          return;
        } catch (error) {
          if (over.signal.aborted) throw problem ?? this.outOfTime(write, asked.once);
          if (!isPassing(error) && !isSessionOver(error)) throw error;
          problem = error as Error;
        }
        await pause(this.clock, waitMs, over.signal);
      }
    } finally {
      timer.cancel();
      off();
    }
  }

  private async tryOnce(write: NodeWrite, signal: AbortSignal, asked: { once: boolean }): Promise<void> {
    const { lease } = this;
    if (lease === null) throw this.outOfTime(write, false);
    const session = await lease.session(signal);
    asked.once = true;
    await writeNode(session, write, { signal, timeoutMs: this.timeoutMs });
  }

  private outOfTime({ path }: NodeWrite, asked: boolean): Error {
    const what = `the write of node "${path}"`;
    return asked
      ? failure('MILLRACE_STORE_UNCERTAIN', { what, reason: `there was no answer within ${this.timeoutMs} ms` })
      : failure('MILLRACE_STORE_UNAVAILABLE', { what, reason: `there was no session within ${this.timeoutMs} ms` });
  }

  /** @throws MILLRACE_WRITER_TUPLE, MILLRACE_STORE_PATH */
  private writeOf(tuple: Tuple): NodeWrite {
    const wrong = (field: string, what: string): MillraceError =>
      failure('MILLRACE_WRITER_TUPLE', { field, what, source: tuple.component });
    const action = this.actionField === null ? this.action : actionOf(tuple.get(this.actionField));
    if (action === null) {
      const field = this.actionField ?? '';
      throw wrong(
        field,
        `is ${shown(tuple.get(field))}, not put, create or delete, nor set or deleted, as a change has it`,
      );
    }
    const given = tuple.get(this.pathField);
    if (typeof given !== 'string') throw wrong(this.pathField, `is ${shown(given)}, not a path`);
    const path = given === '/' && this.base !== '' ? this.base : this.base + given;
    checkPath(path);
    const version = this.versionField === null ? null : (tuple.get(this.versionField) ?? null);
    if (version !== null && (!Number.isSafeInteger(version) || (version as number) < 0)) {
      throw wrong(
        this.versionField ?? '',
        `is ${shown(version)}, not a version: a whole number from 0, or null for any`,
      );
    }
    const data = action === 'delete' ? new Uint8Array() : dataOf(tuple.get(this.dataField));
    return { action, path, data, version: version as number | null, parents: this.parents };
  }
}

/** What a field asks for: as in the setting, or `set` and `deleted`, as a change says what became of a node. */
function actionOf(value: unknown): WriteAction | null {
  switch (value) {
    case 'put':
    case 'set':
      return 'put';
    case 'delete':
    case 'deleted':
      return 'delete';
    case 'create':
      return 'create';
    default:
      return null;
  }
}
