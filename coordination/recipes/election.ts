// Who leads. Every member queues with an ephemeral sequential node; the first one counts the epoch up, with a
// compare-and-set in the same transaction that proves its node, and leads until that node is gone or somebody counted
// on. What it writes begins with a check of the epoch node's version: a deposed leader cannot write, however late it
// learns of it. The master of a cluster is elected so. Bound to one session. Main thread.
//
//   queue ─► first? ──no──► wait for the one in front to go ─┐
//     ▲        │ ▲───────────────────────────────────────────┘
//     │        ▼ yes
//     │      multi [ check own node, set epoch + 1 at its version ] ──refused──► from the start
//     │        ▼
//     │      leads: act([...]) = multi [ check epoch version, ... ]
//     └────── deposed: own node or session gone, epoch moved on, or no proof for half of the session's timeout
//
// Time only narrows the window in which two believe that they lead; the epoch's version alone decides.

import { failure, reasonOf } from '../../engine/errors.js';
import { STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Operation, OperationResult } from '../store/contract.js';
import { fromNode, hasKeys, toData } from '../store/json-node.js';
import { childOf } from '../store/node-path.js';
import { pause, whenAborted } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import { writeFenced } from './fenced.js';
import { oneInFront, takePlace, waitForTurn, type Place } from './line.js';
import { ensurePath, removeNode } from './nodes.js';
import { QuorumProof } from './quorum-proof.js';
import { insist, orAborted, recipeOf, type Recipe, type RecipeOptions } from './recipe.js';

/** A time as leader. */
export interface Term {
  /** Counts up with each term, whoever leads: the fencing token. */
  readonly epoch: number;
  /** Aborted when it is over. */
  readonly over: AbortSignal;
  /**
   * Carries the operations out, if this one still leads.
   *
   * @returns the results of these operations
   * @throws MILLRACE_ELECTION_DEPOSED (or what the option `deposed` makes), and what `multi` throws, with `operationOf`
   * counting from these operations
   */
  act(operations: readonly Operation[]): Promise<readonly OperationResult[]>;
}

/** Where an election is held. */
export interface ElectionPaths {
  /** The members queue below it. */
  readonly queue: string;
  /** Holds the epoch; its version fences every write of a leader. */
  readonly epoch: string;
}

export interface ElectionOptions extends RecipeOptions {
  /** A path stands for `PATH/queue` and `PATH/epoch`. */
  readonly at: string | ElectionPaths;
  /** Who queues, for whom reads the epoch. */
  readonly member: string;
  /** Leads until the term is over; when it ends before, the member queues again. */
  readonly lead: (term: Term) => Promise<void>;
  /** Makes the error of a leader who is none any more. Default: MILLRACE_ELECTION_DEPOSED. */
  readonly deposed?: (epoch: number, cause: unknown) => Error;
}

/** What the epoch node holds. */
export interface Epoch {
  readonly epoch: number;
  /** Who counted it up: the last one that led, who may be gone. */
  readonly member: string;
  /** Tells whether it was this attempt that counted it up. */
  readonly nonce: string;
}

/** Whether that is what an epoch node holds. */
export function isEpoch(value: unknown): value is Epoch {
  return hasKeys(value, 'epoch', 'member', 'nonce') && Number.isInteger(value.epoch);
}

/** What an election works with. */
interface Ballot {
  readonly recipe: Recipe;
  readonly paths: ElectionPaths;
  readonly member: string;
  readonly deposed: (epoch: number, cause: unknown) => Error;
}

/**
 * An election: of all members, one leads at a time.
 *
 * @example
 * ```ts
 * const election = new Election({
 *   session,
 *   at: '/billing/leader',
 *   member: 'a',
 *   lead: async (term) => {
 *     await term.act([{ type: 'set', path: '/billing/state', data, version: null }]);
 *     await new Promise((resolve) => term.over.addEventListener('abort', resolve));
 *   },
 * });
 * election.start();
 * ```
 */
export class Election {
  private readonly ballot: Ballot;
  private readonly lead: (term: Term) => Promise<void>;
  private readonly stopping = new AbortController();
  /** The member does not queue any more, or its session is over. */
  private readonly over: AbortSignal;
  private readonly unfollow: () => void;
  private running: Promise<void> = Promise.resolve();

  constructor(options: ElectionOptions) {
    const { at, member } = options;
    const paths = typeof at === 'string' ? { queue: childOf(at, 'queue'), epoch: childOf(at, 'epoch') } : at;
    const deposed =
      options.deposed ??
      ((epoch, cause) => failure('MILLRACE_ELECTION_DEPOSED', { member, path: paths.queue, epoch }, { cause }));
    this.ballot = { recipe: recipeOf(options), paths, member, deposed };
    this.lead = options.lead;
    this.over = this.stopping.signal;
    this.unfollow = whenAborted([options.session.ended], () => this.stopping.abort(options.session.ended.reason));
  }

  start(): void {
    this.running = this.run();
  }

  /** Leaves the queue; resolves when a term that was held is over. */
  async close(): Promise<void> {
    this.unfollow();
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { recipe, paths, member } = this.ballot;
    const { clock, logger } = recipe;
    const subject = { what: 'election', path: paths.queue };
    for (let waitMs = STORE_RETRY_MIN_MS; !this.over.aborted; waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS)) {
      let place: Place | null = null;
      try {
        place = await takePlace(recipe, { directory: paths.queue, data: toData(member) }, this.over);
        const first = await waitForTurn(recipe, subject, place, oneInFront, this.over);
        const term = first ? await claim(this.ballot, place, this.over) : null;
        if (term !== null) {
          waitMs = STORE_RETRY_MIN_MS;
          logger.debug(`"${member}" leads "${paths.queue}" in epoch ${term.epoch}`);
          await term.lead(this.lead);
        }
      } catch (error) {
        if (!this.over.aborted) logger.warn(`the election failed and begins again: ${reasonOf(error)}`);
      }
      if (place !== null) await orAborted(removeNode(recipe, place.path), this.over).catch(() => undefined);
      if (!this.over.aborted) await pause(clock, waitMs, this.over);
    }
  }
}

/** Counts the epoch up; null when somebody else did, or the own node is gone. */
async function claim(ballot: Ballot, place: Place, over: AbortSignal): Promise<HeldTerm | null> {
  const { recipe, paths, member } = ballot;
  const { session, clock, newId } = recipe;
  const path = paths.epoch;
  await ensurePath(recipe, path, over, toData({ epoch: 0, member: '', nonce: '' } satisfies Epoch));
  await insist(recipe, over, () => session.sync(path));
  const node = await insist(recipe, over, () => session.get(path));
  const last = fromNode(node, isEpoch);
  const mine: Epoch = { epoch: last.epoch + 1, member, nonce: newId() };
  const provenAtMs = clock.now();
  let { version } = node.stat;
  try {
    await session.multi([
      { type: 'check', path: place.path, version: null },
      { type: 'set', path, data: toData(mine), version },
    ]);
    version++;
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) return null;
    if (!hasCode(error, 'MILLRACE_STORE_UNCERTAIN')) throw error;
    await insist(recipe, over, () => session.sync(path));
    const read = await insist(recipe, over, () => session.get(path));
    if (fromNode(read, isEpoch).nonce !== mine.nonce) return null;
    version = read.stat.version;
  }
  return new HeldTerm({ ballot, own: place.path, epoch: mine.epoch, version, over, provenAtMs });
}

interface HeldTermOptions {
  readonly ballot: Ballot;
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
  private readonly proof: QuorumProof;
  private readonly ending = new AbortController();
  private readonly unfollow: () => void = () => undefined;

  constructor(options: HeldTermOptions) {
    const { ballot, own, version, provenAtMs } = options;
    const { session, clock } = ballot.recipe;
    this.options = options;
    this.epoch = options.epoch;
    this.over = this.ending.signal;
    this.proof = new QuorumProof({
      session,
      clock,
      provenAtMs,
      checks: () => [
        { type: 'check', path: own, version: null },
        { type: 'check', path: ballot.paths.epoch, version },
      ],
      failed: () => this.depose(),
    });
    this.unfollow = whenAborted([options.over], () => this.depose());
  }

  async lead(lead: (term: Term) => Promise<void>): Promise<void> {
    const proving = this.proof.keep(this.over);
    try {
      await lead(this);
    } finally {
      this.depose();
      await proving;
    }
  }

  async act(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    const { ballot, version } = this.options;
    const { session, clock } = ballot.recipe;
    if (this.proof.outOfTime) this.depose();
    if (this.over.aborted) throw ballot.deposed(this.epoch, null);
    const askedAtMs = clock.now();
    const refused = (cause: unknown): Error => {
      this.depose();
      return ballot.deposed(this.epoch, cause);
    };
    const results = await writeFenced(session, { path: ballot.paths.epoch, version }, operations, { refused });
    this.proof.note(askedAtMs);
    return results;
  }

  private depose(): void {
    this.unfollow();
    this.ending.abort();
  }
}
