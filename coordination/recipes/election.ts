// Who is master. Every host queues with an ephemeral sequential node; the first one counts the epoch up, with a
// compare-and-set in the same transaction that proves its node, and is master until that node is gone or somebody
// counted on. What it writes begins with a check of the epoch node's version: a deposed master cannot write, however
// late it learns of it. Bound to one session. Main thread.
//
//   queue ─► first? ──no──► wait for the one in front to go ─┐
//     ▲        │ ▲───────────────────────────────────────────┘
//     │        ▼ yes
//     │      multi [ check own node, set epoch + 1 at its version ] ──refused──► from the start
//     │        ▼
//     │      master: act([...]) = multi [ check epoch version, ... ]
//     └────── deposed: own node or session gone, epoch moved on, or no proof for half of the session's timeout
//
// Time only narrows the window in which two believe that they are master; the epoch's version alone decides.

import type { Clock } from '../../engine/clock.js';
import { failure, isMillraceError, reasonOf } from '../../engine/errors.js';
import { STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { EPOCH, MASTERS } from '../paths.js';
import { fromNode, toData } from '../store/json-node.js';
import type { Operation, OperationResult, Session } from '../store/contract.js';
import { childOf, sequenceOf } from '../store/node-path.js';
import { aborted, pause, whenAborted } from '../store/signals.js';
import { hasCode, isPassing, operationOf, withOperation } from '../store/store-errors.js';
import { isEpoch, type Epoch } from '../topology-records.js';
import { createProtected } from './protected-create.js';

/** A time as master. */
export interface Term {
  readonly epoch: number;
  /** Aborted when it is over. */
  readonly over: AbortSignal;
  /**
   * Carries the operations out, if this is still the master.
   *
   * @returns the results of these operations
   * @throws MILLRACE_MASTER_DEPOSED, and what `multi` throws, with `operationOf` counting from these operations
   */
  act(operations: readonly Operation[]): Promise<readonly OperationResult[]>;
}

export interface ElectionOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who queues: `host~boot`. */
  readonly member: string;
  /** Makes ids unlike all others. */
  readonly newId: () => string;
  /** Leads until the term is over; when it ends before, the host queues again. */
  readonly lead: (term: Term) => Promise<void>;
}

export class Election {
  private readonly options: ElectionOptions;
  private readonly stopping = new AbortController();
  /** The host does not queue any more, or its session is over. */
  private readonly over: AbortSignal;
  private running: Promise<void> = Promise.resolve();

  constructor(options: ElectionOptions) {
    this.options = options;
    this.over = this.stopping.signal;
    whenAborted([options.session.ended], () => this.stopping.abort());
  }

  start(): void {
    this.running = this.run();
  }

  /** Leaves the queue; resolves when a term that was held is over. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { session, clock, logger, newId, member } = this.options;
    for (let waitMs = STORE_RETRY_MIN_MS; !this.over.aborted; waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS)) {
      let own: string | null = null;
      try {
        const name = await createProtected(session, clock, MASTERS, newId(), toData(member), 'ephemeral-sequential');
        own = childOf(MASTERS, name);
        const term = await this.firstInQueue(name).then((first) => (first ? this.claim(childOf(MASTERS, name)) : null));
        if (term !== null) {
          waitMs = STORE_RETRY_MIN_MS;
          await this.lead(term);
        }
      } catch (error) {
        if (!this.over.aborted) logger.warn(`the election failed and begins again: ${reasonOf(error)}`);
      }
      if (own !== null && !session.ended.aborted) await leave(session, own, logger);
      if (!this.over.aborted) await pause(clock, waitMs, this.over);
    }
  }

  /** Resolves with true when it is this node's turn, with false when the node is gone. */
  private async firstInQueue(own: string): Promise<boolean> {
    const { session } = this.options;
    while (!this.over.aborted) {
      const names = (await session.children(MASTERS)).filter((name) => sequenceOf(name) !== null);
      names.sort((left, right) => sequenceOf(left)! - sequenceOf(right)!);
      const place = names.indexOf(own);
      if (place <= 0) return place === 0;
      await gone(session, childOf(MASTERS, names[place - 1]!), this.over);
    }
    return false;
  }

  /** Counts the epoch up; null when somebody else did. */
  private async claim(own: string): Promise<HeldTerm | null> {
    const { session, clock, member, newId } = this.options;
    await session.create(EPOCH, toData({ epoch: 0, member: '', nonce: '' } satisfies Epoch)).catch((error: unknown) => {
      if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
    });
    await session.sync(EPOCH);
    const node = await session.get(EPOCH);
    const last = fromNode(node, isEpoch);
    const mine: Epoch = { epoch: last.epoch + 1, member, nonce: newId() };
    const askedAtMs = clock.now();
    let { version } = node.stat;
    try {
      await session.multi([
        { type: 'check', path: own, version: null },
        { type: 'set', path: EPOCH, data: toData(mine), version },
      ]);
      version++;
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) return null;
      if (!hasCode(error, 'MILLRACE_STORE_UNCERTAIN')) throw error;
      await session.sync(EPOCH);
      const read = await session.get(EPOCH);
      if (fromNode(read, isEpoch).nonce !== mine.nonce) return null;
      version = read.stat.version;
    }
    return new HeldTerm({ ...this.options, own, epoch: mine.epoch, version, over: this.over, provenAtMs: askedAtMs });
  }

  private async lead(term: HeldTerm): Promise<void> {
    const { logger, lead, member } = this.options;
    logger.debug(`"${member}" is master of epoch ${term.epoch}`);
    const proving = term.keepProving();
    try {
      await lead(term);
    } finally {
      term.depose();
      await proving;
    }
  }
}

interface HeldTermOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly member: string;
  readonly own: string;
  readonly epoch: number;
  readonly version: number;
  readonly over: AbortSignal;
  readonly provenAtMs: number;
}

class HeldTerm implements Term {
  readonly epoch: number;
  readonly over: AbortSignal;
  private readonly options: HeldTermOptions;
  private readonly deposed = new AbortController();
  private readonly unfollow: () => void = () => undefined;
  /** When the last acknowledged write was asked for. */
  private provenAtMs: number;

  constructor(options: HeldTermOptions) {
    this.options = options;
    this.epoch = options.epoch;
    this.provenAtMs = options.provenAtMs;
    this.over = this.deposed.signal;
    this.unfollow = whenAborted([options.over], () => this.depose());
  }

  depose(): void {
    this.unfollow();
    this.deposed.abort();
  }

  async act(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    const { session, version, clock, member } = this.options;
    const deposed = { host: member, epoch: this.epoch };
    if (this.outOfTime()) this.depose();
    if (this.over.aborted) throw failure('MILLRACE_MASTER_DEPOSED', deposed);
    const askedAtMs = clock.now();
    try {
      const results = await session.multi([{ type: 'check', path: EPOCH, version }, ...operations]);
      this.provenAtMs = askedAtMs;
      return results.slice(1);
    } catch (error) {
      const operation = operationOf(error);
      if (operation === 0) {
        this.depose();
        throw failure('MILLRACE_MASTER_DEPOSED', deposed, { cause: error });
      }
      throw operation === null || !isMillraceError(error) ? error : withOperation(error, operation - 1);
    }
  }

  /** Proves it again and again, where silence would end the session; deposes when that fails for too long. */
  async keepProving(): Promise<void> {
    const { session, clock, own, version } = this.options;
    const { timeoutMs } = session;
    if (timeoutMs === null) return;
    while (!this.over.aborted) {
      await pause(clock, timeoutMs / 8, this.over);
      const askedAtMs = clock.now();
      try {
        await session.multi(
          [
            { type: 'check', path: own, version: null },
            { type: 'check', path: EPOCH, version },
          ],
          { timeoutMs: timeoutMs / 3, signal: this.over },
        );
        this.provenAtMs = askedAtMs;
      } catch (error) {
        if (!isPassing(error) || this.outOfTime()) this.depose();
      }
    }
  }

  private outOfTime(): boolean {
    const { session, clock } = this.options;
    return session.timeoutMs !== null && clock.now() >= this.provenAtMs + session.timeoutMs / 2;
  }
}

/** Resolves when that node is gone, or the signal is aborted. */
async function gone(session: Session, path: string, over: AbortSignal): Promise<void> {
  const there = new AbortController();
  const watch = session.watchNode(path, (node) => {
    if (node === null) there.abort();
  });
  await aborted(there.signal, over);
  watch.close();
}

async function leave(session: Session, own: string, logger: Logger): Promise<void> {
  await session.delete(own, null).catch((error: unknown) => {
    // It goes with the session at the latest.
    if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) logger.debug(`"${own}" was not deleted: ${reasonOf(error)}`);
  });
}
