// A configuration that all share: one node with JSON, followed and checked. What does not pass the check, whoever wrote
// it, is told of with its path, and the last good value stays. Older states never replace newer ones. Bound to one
// session. Main thread.
//
//   node changes ─► JSON? passes the check? ─yes─► value, `changed`
//                        └ no: `problem`, `failed`, logged; the value stays

import { failure, isMillraceError, reasonOf, type MillraceError } from '../../engine/errors.js';
import type { StoreNode, Subscription } from '../store/contract.js';
import { fromNode, isJson, toData } from '../store/json-node.js';
import { hasCode } from '../store/store-errors.js';
import { ensurePath } from './nodes.js';
import { insist, orAborted, recipeOf, within, type Recipe, type RecipeOptions, type WaitOptions } from './recipe.js';
import { Witness } from './witness.js';

export interface SharedConfigOptions<T> extends RecipeOptions {
  /** Its node; made with the first `set`. */
  readonly path: string;
  /** Checks what was read or is to be written, and gives it its shape; throws what is wrong with it. */
  readonly check: (value: unknown) => T;
  /** What counts while nobody has set it. */
  readonly initial?: T;
  /** Which change of the store was looked at by an earlier one, in another session: what is older says nothing new. */
  readonly since?: bigint;
  /** Called with the first good value of the node, and with each later one. */
  readonly changed?: (value: T) => void;
  /** Called when the node holds what does not pass, or was deleted. */
  readonly failed?: (problem: MillraceError) => void;
}

/**
 * A configuration that all share.
 *
 * @example
 * ```ts
 * const config = new SharedConfig({ session, path: '/config/mail', check: schema.parse, initial: { retries: 3 } });
 * await config.ready;
 * send({ retries: config.value.retries });
 * await config.update((last) => ({ ...last, retries: 5 }));
 * config.close();
 * ```
 */
export class SharedConfig<T> implements Subscription {
  readonly what = 'configuration';
  readonly path: string;
  /** Resolves after the first look at the node, good or not; rejects when the session ends or it is closed before. */
  readonly ready: Promise<void>;
  private readonly recipe: Recipe;
  private readonly options: SharedConfigOptions<T>;
  private readonly witness: Witness;
  private readonly watch: Subscription;
  private looked: () => void = () => undefined;
  private unlooked: (reason: Error) => void = () => undefined;
  private closed = false;
  private good: { readonly value: T } | null;
  private wrong: MillraceError | null = null;
  /** Which change of the store was looked at last. */
  private revision: bigint;

  /** @throws MILLRACE_SHARED_CONFIG_INVALID for an initial value that does not pass, and why the session is over */
  constructor(options: SharedConfigOptions<T>) {
    this.recipe = recipeOf(options);
    this.options = options;
    this.path = options.path;
    this.revision = options.since ?? 0n;
    this.good = options.initial === undefined ? null : { value: this.checked(options.initial) };
    this.witness = new Witness(this.recipe, this, this.path);
    const { session } = this.recipe;
    const looked = new Promise<void>((resolve, reject) => {
      this.looked = resolve;
      this.unlooked = reject;
    });
    this.watch = session.watchNode(this.path, (node) => this.look(node));
    this.ready = orAborted(looked, session.ended);
    this.ready.catch(() => undefined);
  }

  /**
   * The last good value.
   *
   * @throws MILLRACE_SHARED_CONFIG_MISSING, or MILLRACE_STORE_CONTENT when there never was a good one
   */
  get value(): T {
    if (this.good !== null) return this.good.value;
    throw this.wrong ?? failure('MILLRACE_SHARED_CONFIG_MISSING', { path: this.path });
  }

  /** What is wrong with what the node holds now; null: nothing. */
  get problem(): MillraceError | null {
    return this.wrong;
  }

  /** Which change of the store was looked at last: `since` for who follows it in the next session. */
  get seen(): bigint {
    return this.revision;
  }

  /**
   * Sets it, whatever it was.
   *
   * @throws MILLRACE_SHARED_CONFIG_INVALID, MILLRACE_STORE_TOO_LARGE, MILLRACE_RECIPE_TIMEOUT or the reason of the
   * signal, after which it may be set all the same, and what else the store throws
   */
  async set(value: T, options: WaitOptions = {}): Promise<void> {
    const checked = this.checked(value);
    await this.write(options, () => ({ value: checked, version: null }));
  }

  /**
   * Makes another one of the present one; what somebody else sets at the same time is not lost.
   *
   * @param next - makes it of the present one, or of the initial one where there is none; may be called several times
   * @throws as `set`; MILLRACE_STORE_CONTENT when what is there does not pass, MILLRACE_SHARED_CONFIG_MISSING
   */
  async update(next: (last: T) => T, options: WaitOptions = {}): Promise<void> {
    const { initial } = this.options;
    await this.write(options, (node) => {
      const none = node === null || node.data.byteLength === 0;
      if (none && initial === undefined) throw failure('MILLRACE_SHARED_CONFIG_MISSING', { path: this.path });
      const last = none ? initial! : this.read(node);
      return { value: this.checked(next(last)), version: node?.stat.version ?? null };
    });
  }

  /** Follows it no more. */
  close(): void {
    this.closed = true;
    this.watch.close();
    this.unlooked(failure('MILLRACE_STORE_CLOSED', { session: this.recipe.session.id }));
    void this.witness.close();
  }

  private async write(
    options: WaitOptions,
    make: (node: StoreNode | null) => { readonly value: T; readonly version: number | null },
  ): Promise<void> {
    const { recipe, path } = this;
    await within(recipe, this, options, (over) =>
      this.witness.inTurn(over, async (write) => {
        for (;;) {
          const before = await this.nodeNow(over);
          const { value, version } = make(before);
          const data = toData(value);
          try {
            if (before === null) {
              // Made empty and set in a second step, which is carried out once; empty is as if it were not there.
              await ensurePath(recipe, path, over);
              continue;
            }
            await write([{ type: 'set', path, data, version }]);
          } catch (error) {
            if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) throw error;
            continue;
          }
          // Who has set it reads it, at once.
          this.look(await this.nodeNow(over));
          return;
        }
      }),
    );
  }

  private async nodeNow(over: AbortSignal): Promise<StoreNode | null> {
    const { session } = this.recipe;
    try {
      return await insist(this.recipe, over, () => session.get(this.path, { signal: over }));
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return null;
      throw error;
    }
  }

  private look(node: StoreNode | null): void {
    if (node === null || node.data.byteLength === 0) {
      if (this.revision > 0n) this.fail(failure('MILLRACE_SHARED_CONFIG_MISSING', { path: this.path }));
    } else if (node.stat.modifyRevision > this.revision) {
      this.revision = node.stat.modifyRevision;
      this.take(node);
    }
    this.looked();
  }

  private take(node: StoreNode): void {
    let value: T;
    try {
      value = this.read(node);
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_CONTENT')) throw error;
      this.fail(error);
      return;
    }
    this.good = { value };
    this.wrong = null;
    this.tell(() => this.options.changed?.(value));
  }

  private fail(problem: MillraceError): void {
    this.wrong = problem;
    this.recipe.logger.error(problem.message);
    this.tell(() => this.options.failed?.(problem));
  }

  /** What a listener throws is its own affair: what was read or set stays so. */
  private tell(call: () => void): void {
    if (this.closed) return;
    try {
      call();
    } catch (error) {
      this.recipe.logger.error(`a listener of configuration "${this.path}" failed: ${reasonOf(error)}`);
    }
  }

  private read(node: StoreNode): T {
    const value = fromNode(node, isJson);
    try {
      return this.options.check(value);
    } catch (error) {
      throw failure('MILLRACE_STORE_CONTENT', { path: node.path, reason: reasonOf(error) }, { cause: error });
    }
  }

  private checked(value: T): T {
    try {
      return this.options.check(value);
    } catch (error) {
      if (isMillraceError(error) && error.code === 'MILLRACE_SHARED_CONFIG_INVALID') throw error;
      throw failure('MILLRACE_SHARED_CONFIG_INVALID', { path: this.path, reason: reasonOf(error) }, { cause: error });
    }
  }
}
