// Something that is held by an ephemeral node of ours: a lock, a lease, a command, a shard. It is lost when the node is
// gone, when the session is over, or when nobody can say for half of the session's timeout whether it still lives; the
// holder is told at once. What it writes through `act` begins with a check of the node, so nothing is written after
// it was lost, even before the holder knows. Bound to one session. Main thread.
//
//   held ─┬─ release ────────────────────► node deleted
//         ├─ lost ─► work that keeps it ends ─► node deleted: nobody else begins before
//         └─ our own transaction deleted it: settled

import { failure } from '../../engine/errors.js';
import type { CallOptions, Operation, OperationResult, Session } from '../store/contract.js';
import { whenAborted } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import { writeFenced, type Fence } from './fenced.js';
import { removeNode } from './nodes.js';
import { QuorumProof } from './quorum-proof.js';
import { insist, type Recipe } from './recipe.js';

/** What a holder has in hand. */
export interface Holding {
  /** The node that stands for it. */
  readonly path: string;
  /**
   * Grows from holder to holder, never repeats. Give it to whatever is guarded outside of the store, and have that
   * refuse a lower one than it has seen.
   */
  readonly token: bigint;
  /** Aborted at once when it is lost, with MILLRACE_LOCK_LOST as its reason; never by `release`. */
  readonly lost: AbortSignal;
  /**
   * Carries operations out, all or none, if it is still held.
   *
   * @returns the results of these operations
   * @throws MILLRACE_LOCK_LOST, and what `multi` throws, with `operationOf` counting from these operations
   */
  act(operations: readonly Operation[], options?: CallOptions): Promise<readonly OperationResult[]>;
  /** Gives it back: resolves when its node is gone, or its session over. May be called again. */
  release(): Promise<void>;
}

interface HeldNodeOptions {
  readonly recipe: Recipe;
  readonly path: string;
  readonly token: bigint;
  /** What must be so for `act`. Default: its node is there, which nobody else's ever is where names are unlike. */
  readonly fence?: Fence;
  /** When the last acknowledged write was asked for. */
  readonly provenAtMs: number;
  /** What is done when the node was given back. */
  readonly after?: () => Promise<void>;
}

export class HeldNode implements Holding {
  readonly path: string;
  readonly token: bigint;
  readonly lost: AbortSignal;
  private readonly options: HeldNodeOptions;
  private readonly losing = new AbortController();
  private readonly unfollow: readonly (() => void)[];
  private readonly proof: QuorumProof;
  /** Released or lost: why it is not held any more. */
  private over: string | null = null;
  private released: Promise<void> | null = null;
  /** Resolves when all work that keeps the node has ended. */
  private kept: Promise<unknown> = Promise.resolve();
  /** How many transactions of ours, which delete the node, are not decided. */
  private finishing = 0;
  /** The node was seen to be gone meanwhile. */
  private deleted = false;

  /** @throws MILLRACE_STORE_TOO_MANY when nothing more can be watched, and why the session is over */
  constructor(options: HeldNodeOptions) {
    this.options = options;
    this.path = options.path;
    this.token = options.token;
    this.lost = this.losing.signal;
    const { session, clock } = options.recipe;
    const watch = session.watchNode(this.path, (node) => {
      if (node === null || node.stat.createRevision !== this.token) this.seenDeleted();
    });
    const proving = proofsOf(session, clock);
    this.proof = proving.join(this, options.provenAtMs);
    this.unfollow = [
      () => watch.close(),
      () => proving.leave(this),
      whenAborted([session.ended], () => this.lose('its session is over')),
    ];
    if (this.over !== null) this.unfollow.forEach((off) => off());
  }

  async act(operations: readonly Operation[], options: CallOptions = {}): Promise<readonly OperationResult[]> {
    const { session, clock } = this.options.recipe;
    if (this.proof.outOfTime) this.lose(SILENT);
    if (this.over !== null) throw this.error(this.over);
    const askedAtMs = clock.now();
    const refused = (cause: unknown): Error => {
      if (!hasCode(cause, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_BAD_VERSION')) return cause as Error;
      this.seenDeleted();
      return this.error(this.over ?? DELETED);
    };
    const { fence = { path: this.path, version: null } } = this.options;
    const results = await writeFenced(session, fence, operations, { ...options, refused });
    this.proof.note(askedAtMs);
    return results;
  }

  async release(): Promise<void> {
    if (this.over === null) this.end('it was released');
    await (this.released ??= this.remove());
  }

  /**
   * Does work that nobody else may overlap: when it is lost meanwhile, its node goes when the work has ended, or gives
   * it back.
   *
   * @throws MILLRACE_LOCK_LOST when it is not held any more, and what the work throws
   */
  async keep<T>(work: () => Promise<T>): Promise<T> {
    if (this.over !== null) throw this.error(this.over);
    const working = work();
    this.kept = Promise.allSettled([this.kept, working]);
    return await working;
  }

  /** As `keep`, for a transaction that deletes the node: who has deleted it is judged when that is decided. */
  async finish<T>(work: () => Promise<T>): Promise<T> {
    this.finishing++;
    try {
      return await this.keep(work);
    } finally {
      this.finishing--;
      if (this.deleted) this.seenDeleted();
    }
  }

  /** Gives it back when nothing keeps it any more. */
  async releaseAfterWork(): Promise<void> {
    await this.kept;
    await this.release();
  }

  /** It is not ours any more. */
  lose(reason: string): void {
    if (this.over !== null) return;
    this.end(reason);
    this.losing.abort(this.error(reason));
    void this.releaseAfterWork();
  }

  private seenDeleted(): void {
    this.deleted = true;
    if (this.finishing === 0) this.lose(DELETED);
  }

  /** The node is gone with our own transaction: nothing is left to be given back. */
  settle(): void {
    if (this.over === null) this.end('it was released');
    this.released ??= Promise.resolve(this.options.after?.());
  }

  private end(reason: string): void {
    this.over = reason;
    // Undefined when the session was over before the constructor came to its end.
    (this.unfollow as readonly (() => void)[] | undefined)?.forEach((off) => off());
  }

  private async remove(): Promise<void> {
    // What was lost may be another's by now, at the same path.
    if (!this.lost.aborted || (await this.isThere())) await removeNode(this.options.recipe, this.path);
    await this.options.after?.();
  }

  private async isThere(): Promise<boolean> {
    const { recipe } = this.options;
    const { session } = recipe;
    try {
      const stat = await insist(recipe, session.ended, () => session.exists(this.path));
      return stat?.createRevision === this.token;
    } catch {
      // The session is over, and has taken it along.
      return false;
    }
  }

  private error(reason: string): Error {
    return failure('MILLRACE_LOCK_LOST', { path: this.path, token: String(this.token), reason });
  }
}

const DELETED = 'its node was deleted';
const SILENT = 'the store has not answered for half of the time after which it ends sessions';

/** One proof for all that is held in a session. */
class SessionProofs {
  private readonly proof: QuorumProof;
  private readonly session: Session;
  private readonly held = new Set<HeldNode>();
  private running: AbortController | null = null;

  constructor(session: Session, clock: Recipe['clock']) {
    this.session = session;
    this.proof = new QuorumProof({
      session,
      clock,
      provenAtMs: -Infinity,
      // One node stands for all: what is to be proved is the session, and each node is watched as well.
      checks: () => [...this.held].slice(0, 1).map(({ path }) => ({ type: 'check', path, version: null })),
      answered: (error) => hasCode(error, 'MILLRACE_STORE_NO_NODE'),
      failed: () => {
        for (const each of [...this.held]) each.lose(SILENT);
      },
    });
  }

  join(holder: HeldNode, provenAtMs: number): QuorumProof {
    this.proof.note(provenAtMs);
    this.held.add(holder);
    if (this.running === null) {
      this.running = new AbortController();
      void this.proof.keep(this.running.signal);
    }
    return this.proof;
  }

  leave(holder: HeldNode): void {
    this.held.delete(holder);
    if (this.held.size > 0) return;
    this.running?.abort();
    this.running = null;
    if (this.session.ended.aborted) proofs.delete(this.session);
  }
}

const proofs = new WeakMap<Session, SessionProofs>();

function proofsOf(session: Session, clock: Recipe['clock']): SessionProofs {
  const known = proofs.get(session) ?? new SessionProofs(session, clock);
  proofs.set(session, known);
  return known;
}
