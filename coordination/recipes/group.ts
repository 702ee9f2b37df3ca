// A group: who is there, and what each says about itself. A member is an ephemeral node NAME~BOOT, where the boot id is
// that of one life of a process: one that starts again is another member, so it never fights its own ghost, and of two
// lives of one name the later one counts. Bound to one session. Main thread.
//
//   join ─► node is there ◄─────────── again ───────────┐
//              ├ update: new data                       │ somebody deleted it
//              ├────────────────────────────────────────┘
//              ├ leave ─► gone for certain
//              └ session over ─► lost

import { failure, reasonOf } from '../../engine/errors.js';
import {
  GROUP_MEMBERS_MAX,
  MEMBER_DATA_BYTES_MAX,
  RECIPE_RETRY_MAX_MS,
  STORE_RETRY_MIN_MS,
} from '../../engine/limits.js';
import { toData } from '../store/json-node.js';
import type { Subscription } from '../store/contract.js';
import { childOf } from '../store/node-path.js';
import { pause, whenAborted } from '../store/signals.js';
import { hasCode, isPassing } from '../store/store-errors.js';
import { ensurePath, removeNode } from './nodes.js';
import { showOwnNode } from './own-node.js';
import { insist, orAborted, recipeOf, within, type Recipe, type RecipeOptions, type WaitOptions } from './recipe.js';

export interface MembershipOptions<T> extends RecipeOptions {
  /** The group: its members are the children of this node. */
  readonly path: string;
  /** What the member is called; without "/" and "~". */
  readonly name: string;
  /** One life of the member: the same over all its sessions, another after each start. Default: a new id. */
  readonly boot?: string;
  /** What it says about itself: plain data, at most `MEMBER_DATA_BYTES_MAX` as JSON. */
  readonly data: T;
}

/**
 * A place in a group.
 *
 * @example
 * ```ts
 * const me = new Membership({ session, path: '/services/mail', name: 'a', boot, data: { port: 2525 } });
 * await me.join();
 * await me.update({ port: 2526 });
 * await me.leave();
 * ```
 */
export class Membership<T> {
  readonly path: string;
  /** Aborted when it is in the group no more though it did not leave: its session is over. */
  readonly lost: AbortSignal;
  private readonly recipe: Recipe;
  private readonly group: string;
  private readonly losing = new AbortController();
  /** It left, or is lost. */
  private readonly ending = new AbortController();
  private readonly unfollow: () => void;
  private data: T;
  /** What is shown, or to be shown now. */
  private bytes: Uint8Array = new Uint8Array();
  private shown: { token: bigint; readonly watch: Subscription } | null = null;
  private working: Promise<void> = Promise.resolve();
  /** What a join that was given up may have left behind is being deleted. */
  private removing: Promise<void> = Promise.resolve();

  /** @throws MILLRACE_RECIPE_OPTION */
  constructor(options: MembershipOptions<T>) {
    this.recipe = recipeOf(options);
    this.group = options.path;
    this.data = options.data;
    const { name, boot = this.recipe.newId() } = options;
    checkName(this.group, 'name', name);
    checkName(this.group, 'boot', boot);
    this.path = childOf(this.group, `${name}~${boot}`);
    this.lost = this.losing.signal;
    this.unfollow = whenAborted([options.session.ended], () => {
      this.ending.abort(options.session.ended.reason);
      this.losing.abort(options.session.ended.reason);
    });
  }

  /** Which change of the store brought the member in; null while it is not in. Grows from life to life of a name. */
  get token(): bigint | null {
    return this.shown?.token ?? null;
  }

  /**
   * Resolves when it is in the group.
   *
   * @throws MILLRACE_RECIPE_TOO_MANY, MILLRACE_RECIPE_TIMEOUT, MILLRACE_RECIPE_OPTION, and what the store throws
   */
  async join(options: WaitOptions = {}): Promise<void> {
    await this.show(options, this.data);
  }

  /** Says something else about it from now on; resolves when it stands in the store. */
  async update(data: T, options: WaitOptions = {}): Promise<void> {
    await this.show(options, data);
  }

  /** Resolves when it is gone. */
  async leave(): Promise<void> {
    this.unfollow();
    this.ending.abort(failure('MILLRACE_STORE_CLOSED', { session: this.recipe.session.id }));
    this.shown?.watch.close();
    await this.working;
    await removeNode(this.recipe, this.path);
  }

  /** Shows other data. */
  private async show(options: WaitOptions, data: T): Promise<void> {
    const bytes = toData(data);
    if (bytes.byteLength > MEMBER_DATA_BYTES_MAX) {
      const reason = `it takes ${bytes.byteLength} bytes as JSON, and ${MEMBER_DATA_BYTES_MAX} are the limit`;
      throw failure('MILLRACE_RECIPE_OPTION', { ...this.subject, option: 'data', value: 'of a member', reason });
    }
    await this.inTurn(options, () => {
      this.data = data;
      this.bytes = bytes;
    });
  }

  /** One after the other, so that the last data wins. */
  private async inTurn(options: WaitOptions, begin: () => void): Promise<void> {
    const before = this.working;
    const work = async (over: AbortSignal): Promise<void> => {
      await orAborted(before, over);
      await orAborted(this.removing, over);
      over.throwIfAborted();
      begin();
      const isIn = this.shown !== null;
      try {
        await this.showNow(this.bytes, over);
      } catch (error) {
        if (!isIn) this.undo();
        throw error;
      }
    };
    const own = within(this.recipe, this.subject, options, work, this.ending.signal);
    this.working = own.then(
      () => before,
      () => before,
    );
    await own;
  }

  /** A join that was given up may still have come through. */
  private undo(): void {
    this.shown?.watch.close();
    this.shown = null;
    this.removing = removeNode(this.recipe, this.path);
  }

  private async showNow(bytes: Uint8Array, over: AbortSignal): Promise<void> {
    const { recipe, path, group } = this;
    const { session } = recipe;
    for (;;) {
      await ensurePath(recipe, group, over);
      try {
        const token = await insist(recipe, over, () => showOwnNode(session, path, bytes, over));
        if (this.shown === null) {
          await this.checkRoom(over);
          // Noted in the same step, so that whoever ends it also ends the watch.
          await insist(recipe, over, () => void (this.shown = { token, watch: this.follow() }));
        }
        if (this.shown !== null) this.shown.token = token;
        return;
      } catch (error) {
        // Somebody deleted the empty group at the same time.
        if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
      }
    }
  }

  /** Those who come at the same moment may all be refused at the limit; more than it never stay. */
  private async checkRoom(over: AbortSignal): Promise<void> {
    const { recipe, group } = this;
    const names = await insist(recipe, over, () => recipe.session.children(group, { signal: over }));
    if (names.length <= GROUP_MEMBERS_MAX) return;
    throw failure('MILLRACE_RECIPE_TOO_MANY', { ...this.subject, count: GROUP_MEMBERS_MAX });
  }

  private follow(): Subscription {
    return this.recipe.session.watchNode(this.path, (node) => {
      if (node === null && !this.ending.signal.aborted) void this.comeBack();
    });
  }

  /** Somebody deleted the node. */
  private async comeBack(): Promise<void> {
    const { logger, clock } = this.recipe;
    const { signal } = this.ending;
    logger.warn(`"${this.path}" was deleted by somebody else, and is made again`);
    for (let waitMs = STORE_RETRY_MIN_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, RECIPE_RETRY_MAX_MS)) {
      try {
        // With what it says by then: an update may come first.
        await this.inTurn({ timeoutMs: Infinity, signal }, () => undefined);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isPassing(error)) logger.warn(`"${this.path}" could not be made again: ${reasonOf(error)}`);
      }
      await pause(clock, waitMs, signal);
    }
  }

  private get subject(): { readonly what: string; readonly path: string } {
    return { what: 'group', path: this.group };
  }
}

function checkName(path: string, option: string, value: string): void {
  if (value !== '' && !/[/~]/.test(value)) return;
  const reason = 'it is not empty and has neither "/" nor "~"';
  throw failure('MILLRACE_RECIPE_OPTION', { what: 'group', path, option, value: `"${value}"`, reason });
}
