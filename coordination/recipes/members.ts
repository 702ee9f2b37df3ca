// The members of a group, followed: first as they are, then after each change. States may be skipped when they follow
// quickly, the last one never is. Bound to one session. Main thread.

import { reasonOf } from '../../engine/errors.js';
import type { StoreNode, Subscription } from '../store/contract.js';
import { fromNode } from '../store/json-node.js';
import { nameOf } from '../store/node-path.js';
import { whenAborted } from '../store/signals.js';
import { DirectoryCache } from './directory-cache.js';
import { ensurePath } from './nodes.js';
import { recipeOf, type Recipe, type RecipeOptions } from './recipe.js';

/** One who is there. */
export interface Member<T> {
  readonly name: string;
  /** Which life of it. */
  readonly boot: string;
  readonly data: T;
  /** Which change of the store brought it in: grows from life to life of a name. */
  readonly token: bigint;
}

export interface MembersOptions<T> extends RecipeOptions {
  /** The group. */
  readonly path: string;
  /** Whether that is what a member says about itself; one that says something else is left out, and logged. */
  readonly isData: (value: unknown) => value is T;
  /** Called with all members, by name, when they are known for the first time, and after each change. */
  readonly changed?: (members: readonly Member<T>[]) => void;
}

/**
 * Follows the members of a group.
 *
 * @example
 * ```ts
 * const members = new Members({ session, path: '/services/mail', isData, changed: (all) => dial(all) });
 * await members.ready;
 * members.close();
 * ```
 */
export class Members<T> implements Subscription {
  /** Resolves when the members are known; rejects when the session ends before. */
  readonly ready: Promise<void>;
  private readonly recipe: Recipe;
  private readonly options: MembersOptions<T>;
  private readonly closing = new AbortController();
  private cache: DirectoryCache | null = null;
  private known: readonly Member<T>[] = [];
  /** Nodes that were complained about, by the change that made them so. */
  private readonly complained = new Map<string, bigint>();

  constructor(options: MembersOptions<T>) {
    this.recipe = recipeOf(options);
    this.options = options;
    const off = whenAborted([options.session.ended], () => this.closing.abort(options.session.ended.reason));
    this.closing.signal.addEventListener('abort', off);
    this.ready = this.open();
    this.ready.catch(() => undefined);
  }

  /** The members by name; of two lives of one name the later one. */
  get list(): readonly Member<T>[] {
    return this.known;
  }

  close(): void {
    this.closing.abort();
    this.cache?.close();
  }

  private async open(): Promise<void> {
    const { recipe, closing } = this;
    const { path } = this.options;
    await ensurePath(recipe, path, closing.signal);
    closing.signal.throwIfAborted();
    this.cache = new DirectoryCache(recipe.session, path, () => this.refresh());
    await new Promise<void>((resolve, reject) => {
      const off = whenAborted([closing.signal], () => reject(closing.signal.reason as Error));
      void this.cache?.ready.then(() => {
        off();
        resolve();
      });
    });
  }

  private refresh(): void {
    if (this.cache === null) return;
    const latest = new Map<string, Member<T>>();
    for (const node of this.cache.nodes.values()) {
      const member = this.read(node);
      const other = member === null ? undefined : latest.get(member.name);
      if (member !== null && (other === undefined || other.token < member.token)) latest.set(member.name, member);
    }
    for (const name of [...this.complained.keys()]) if (!this.cache.nodes.has(name)) this.complained.delete(name);
    this.known = [...latest.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
    this.options.changed?.(this.known);
  }

  private read(node: StoreNode): Member<T> | null {
    const full = nameOf(node.path);
    const at = full.lastIndexOf('~');
    // A node that is not ephemeral was made by hand, and would never go.
    if (at < 1 || node.stat.ephemeralOwner === null) return null;
    try {
      const data = fromNode(node, this.options.isData);
      return { name: full.slice(0, at), boot: full.slice(at + 1), data, token: node.stat.createRevision };
    } catch (error) {
      if (this.complained.get(full) !== node.stat.modifyRevision) this.recipe.logger.error(reasonOf(error));
      this.complained.set(full, node.stat.modifyRevision);
      return null;
    }
  }
}
