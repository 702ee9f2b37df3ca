// Shards of a work, spread over the members of a group. Each shard has a lock, and its owner by the members that are
// there (rendezvous.ts) is the one who asks for it: so a new owner begins only when the old one's work has ended or its
// session is over, whatever either believes, and the token grows with each. Bound to one session. Main thread.
//
//   PATH                             {"shards": 64}: the same for all who share it
//   PATH/members/NAME~BOOT           who is there
//   PATH/owners/7/wID_0000000002     the lock of shard 7
//
//   members change ─ gathered ─► wanted shards ─┬─ new: ask for the lock ─► held: `own` ─ ends ─► lock given back
//                                               └─ not wanted: `over` aborts, `own` ends ┘

import type { Timer } from '../../engine/clock.js';
import { reasonOf } from '../../engine/errors.js';
import { SHARD_RESTART_MAX_MS, SHARDS_GATHER_MS, SHARDS_MAX, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import { childOf } from '../store/node-path.js';
import { pause, whenAborted } from '../store/signals.js';
import { Membership } from './group.js';
import type { Holding } from './holding.js';
import { Lock } from './lock.js';
import { Members } from './members.js';
import { agreeOn, checkCount } from './nodes.js';
import { recipeOf, within, type Recipe, type RecipeOptions, type WaitOptions } from './recipe.js';
import { ownersOf } from './rendezvous.js';

/** A shard in hand. */
export interface OwnedShard extends Omit<Holding, 'release'> {
  /** 0 to one less than the number of shards. */
  readonly shard: number;
  /** Aborted when it is to be let go: another one is to own it, this member leaves, or it is lost (`lost`). */
  readonly over: AbortSignal;
}

export interface ShardsOptions extends RecipeOptions {
  readonly path: string;
  /** How many there are: 1 to `SHARDS_MAX`, the same for all who share the path; some ten for each member. */
  readonly shards: number;
  /** What the member is called. One that starts again under its name gets the same shards. */
  readonly member: string;
  /** One life of the member. Default: a new id. */
  readonly boot?: string;
  /**
   * Works on a shard until `over` is aborted. The next owner begins when it resolves, so it resolves when nothing of it
   * goes on. When it ends before, or rejects, it is called again after a pause.
   */
  readonly own: (shard: OwnedShard) => Promise<void>;
  /** Members that come and go within this time move shards once. Default `SHARDS_GATHER_MS`. */
  readonly gatherMs?: number;
}

/** Members say nothing about themselves. */
const isNothing = (value: unknown): value is null => value === null;

/**
 * Shards of a work, spread over the members of a group.
 *
 * @example
 * ```ts
 * const shards = new Shards({
 *   session,
 *   path: '/billing',
 *   shards: 64,
 *   member: 'a',
 *   own: async ({ shard, token, over }) => await bill(shard, { token, until: over }),
 * });
 * await shards.join();
 * await shards.leave();
 * ```
 */
export class Shards {
  readonly what = 'shards of';
  readonly path: string;
  private readonly recipe: Recipe;
  private readonly options: ShardsOptions;
  private readonly membership: Membership<null>;
  private readonly owning = new Map<number, Owning>();
  private members: Members<null> | null = null;
  private gathering: Timer | null = null;
  private leaving: Promise<void> | null = null;
  private readonly unfollow: () => void;

  /** @throws MILLRACE_RECIPE_OPTION */
  constructor(options: ShardsOptions) {
    this.recipe = recipeOf(options);
    this.options = options;
    this.path = options.path;
    checkCount(this, 'shards', options.shards, 1, SHARDS_MAX);
    const { member: name, boot = this.recipe.newId() } = options;
    this.membership = new Membership({ ...this.recipe, path: childOf(this.path, 'members'), name, boot, data: null });
    this.unfollow = whenAborted([options.session.ended], () => this.gathering?.cancel());
  }

  /** Aborted when this member is in the group no more though it did not leave: its session is over. */
  get lost(): AbortSignal {
    return this.membership.lost;
  }

  /** The shards that are worked on here now. */
  get owned(): readonly number[] {
    return [...this.owning.values()].flatMap(({ shard, held }) => (held ? [shard] : [])).sort((a, b) => a - b);
  }

  /**
   * Joins the group; resolves when the member is in it. Shards come after that.
   *
   * @throws MILLRACE_RECIPE_DIFFERS, MILLRACE_RECIPE_TOO_MANY, MILLRACE_RECIPE_TIMEOUT, and what the store throws
   */
  async join(options: WaitOptions = {}): Promise<void> {
    const { recipe } = this;
    await within(recipe, this, options, (over) => agreeOn(recipe, this, 'shards', this.options.shards, over));
    await this.membership.join(options);
    if (this.leaving !== null || this.members !== null) return;
    const changed = (): void => this.gather();
    this.members = new Members({ ...recipe, path: childOf(this.path, 'members'), isData: isNothing, changed });
  }

  /** Lets all shards go, and leaves; resolves when nothing is worked on any more. */
  async leave(): Promise<void> {
    this.leaving ??= this.end();
    await this.leaving;
  }

  private async end(): Promise<void> {
    this.unfollow();
    this.gathering?.cancel();
    this.members?.close();
    const ends = [...this.owning.values()].map((each) => each.end());
    // The others go in line while the work here ends.
    await Promise.all([this.membership.leave(), ...ends]);
  }

  private gather(): void {
    const { gatherMs = SHARDS_GATHER_MS } = this.options;
    this.gathering ??= this.recipe.clock.after(gatherMs, () => {
      this.gathering = null;
      this.decide();
    });
  }

  /** Asks for what this member is to own, and lets go what it is not. */
  private decide(): void {
    if (this.leaving !== null || this.recipe.session.ended.aborted) return;
    const { shards, member, own } = this.options;
    const all = this.members?.list ?? [];
    // Of two lives of one name the later one owns; what this one says to itself decides nothing.
    const isOurs = all.some(({ name, token }) => name === member && token === this.membership.token);
    const owners = ownersOf(
      all.map(({ name }) => name),
      shards,
    );
    for (let shard = 0; shard < shards; shard++) {
      const wanted = isOurs && owners[shard] === member;
      const owning = this.owning.get(shard);
      if (wanted && owning === undefined) {
        const path = childOf(this.path, `owners/${shard}`);
        this.owning.set(shard, new Owning(this.recipe, path, shard, own));
      } else if (!wanted && owning !== undefined) {
        void owning.end().then(() => this.ended(shard, owning));
      }
    }
  }

  private ended(shard: number, owning: Owning): void {
    if (this.owning.get(shard) !== owning) return;
    this.owning.delete(shard);
    // It may be wanted again by now.
    if (this.leaving === null && !this.recipe.session.ended.aborted) this.gather();
  }
}

/** One shard that this member asks for, or has. */
class Owning {
  readonly shard: number;
  /** It is worked on. */
  held = false;
  /** When the work was begun last. */
  private begunAtMs = Infinity;
  private readonly recipe: Recipe;
  private readonly path: string;
  private readonly lock: Lock;
  private readonly own: (shard: OwnedShard) => Promise<void>;
  /** It is to be let go, or the session is over. */
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  constructor(recipe: Recipe, path: string, shard: number, own: (shard: OwnedShard) => Promise<void>) {
    this.recipe = recipe;
    this.shard = shard;
    this.own = own;
    this.path = path;
    this.lock = new Lock({ ...recipe, path });
    this.running = this.run();
  }

  async end(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock, logger, session } = this.recipe;
    const { signal } = this.stopping;
    const off = whenAborted([session.ended], () => this.stopping.abort());
    let waitMs = STORE_RETRY_MIN_MS;
    while (!signal.aborted) {
      this.begunAtMs = Infinity;
      try {
        await this.lock.run((held) => this.work(held), { timeoutMs: Infinity, signal });
      } catch (error) {
        if (signal.aborted) break;
        logger.warn(`shard "${this.path}" failed and begins again: ${reasonOf(error)}`);
      }
      // What went well for longer than the longest wait begins anew.
      if (clock.now() - this.begunAtMs >= SHARD_RESTART_MAX_MS) waitMs = STORE_RETRY_MIN_MS;
      await pause(clock, waitMs, signal);
      waitMs = Math.min(waitMs * 2, SHARD_RESTART_MAX_MS);
    }
    off();
  }

  private async work(held: Holding): Promise<void> {
    const over = new AbortController();
    const off = whenAborted([this.stopping.signal, held.lost], () => over.abort());
    const { path, token, lost } = held;
    this.held = true;
    this.begunAtMs = this.recipe.clock.now();
    try {
      const act: Holding['act'] = (operations, options) => held.act(operations, options);
      await this.own({ shard: this.shard, path, token, lost, over: over.signal, act });
    } finally {
      off();
      over.abort();
      this.held = false;
    }
  }
}
