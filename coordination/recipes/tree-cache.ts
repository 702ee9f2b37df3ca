// A whole subtree of the store with its data, followed: first everything that is there, then each change. States may be
// skipped when they follow quickly, the last one never is, and none comes back. Who hears the events in their order
// holds a tree at any moment: a parent is set before its children, and deleted after them. Bound to one session: for
// the next one make a new cache. Main thread.
//
//   node told ──► set, follow its children ──► child listed: follow that node
//     │ gone, or another one under its name: its children are deleted first, then it
//
//   reading ──all was told──► ready, fresh ──suspended──► stale
//                                      ▲                    │ reconnected: sync, follow everything anew
//                                      └────all was told────┘
//
// Following anew costs reads, but only so is it known that nothing is older than the reconnection.

import { failure, reasonOf } from '../../engine/errors.js';
import { STORE_RETRY_MIN_MS, TREE_CACHE_NODES_MAX } from '../../engine/limits.js';
import type { StoreNode, Subscription } from '../store/contract.js';
import { childOf } from '../store/node-path.js';
import { pause, whenAborted } from '../store/signals.js';
import { recipeOf, type Recipe, type RecipeOptions } from './recipe.js';

/** What is heard of a subtree. */
export type TreeEvent =
  /** A node was found, created, or its data changed. */
  | { readonly type: 'set'; readonly path: string; readonly node: StoreNode }
  | { readonly type: 'deleted'; readonly path: string }
  /** Everything that was there at the beginning has been told. Comes once. */
  | { readonly type: 'ready' }
  /** The connection is gone: what is known may be old. */
  | { readonly type: 'stale' }
  /** What is known is not older than the last reconnection. */
  | { readonly type: 'fresh' }
  /** It cannot go on, and nothing follows: MILLRACE_STORE_SUBTREE, MILLRACE_STORE_TOO_MANY. */
  | { readonly type: 'failed'; readonly error: Error };

export interface TreeCacheOptions extends RecipeOptions {
  /** The top of the subtree; it need not be there yet. */
  readonly path: string;
  /** Hears every event, one at a time. */
  readonly listener: (event: TreeEvent) => void;
  /** Nodes above which it fails. Default `TREE_CACHE_NODES_MAX`. */
  readonly nodesMax?: number;
}

/** One name of the subtree, as far as it is known. */
class Entry {
  readonly path: string;
  node: StoreNode | null = null;
  readonly children = new Map<string, Entry>();
  data: Subscription | null = null;
  list: Subscription | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** Follows nothing any more. */
  close(): void {
    this.data?.close();
    this.list?.close();
    this.data = this.list = null;
  }
}

/**
 * A subtree in memory, followed.
 *
 * @example
 * ```ts
 * const cache = new TreeCache({ session, path: '/prices', listener: ({ type }) => console.log(type) });
 * await cache.ready;
 * console.log(cache.nodes.size);
 * ```
 */
export class TreeCache {
  /** Resolves when the whole subtree is known; rejects when it never will be. */
  readonly ready: Promise<void>;
  private readonly recipe: Recipe;
  private readonly options: TreeCacheOptions;
  private readonly root: Entry;
  private readonly known = new Map<string, StoreNode>();
  /** What is followed and has told nothing yet. */
  private readonly unread = new Set<Subscription>();
  private readonly over = new AbortController();
  private readonly events: Subscription;
  private readonly unfollow: () => void;
  private markReady: () => void = () => undefined;
  private markFailed: (error: Error) => void = () => undefined;
  private isReady = false;
  private isFresh = false;
  /** The connection was gone, and not everything is followed anew. */
  private behind: boolean;
  /** Counts the connections, so that what was begun on an older one ends. */
  private connections = 0;

  /** @throws what `Session.watchNode` throws */
  constructor(options: TreeCacheOptions) {
    const { session, path } = options;
    this.options = options;
    this.recipe = recipeOf(options);
    this.ready = new Promise((resolve, reject) => {
      this.markReady = resolve;
      this.markFailed = reject;
    });
    // Who does not wait for it hears `failed`.
    this.ready.catch(() => undefined);
    this.root = new Entry(path);
    this.behind = session.state !== 'connected';
    this.followData(this.root);
    this.events = session.onEvent(({ type }) => {
      if (type === 'suspended') this.suspended();
      if (type === 'reconnected') void this.reconnected();
    });
    this.unfollow = whenAborted([session.ended], () => {
      this.markFailed(session.ended.reason as Error);
      this.close();
    });
  }

  /** The nodes by their paths. */
  get nodes(): ReadonlyMap<string, StoreNode> {
    return this.known;
  }

  /** Whether it is ready and the session is connected, with nothing left to be read again. */
  get fresh(): boolean {
    return this.isFresh;
  }

  /** Follows nothing any more; no event comes after this. */
  close(): void {
    if (this.over.signal.aborted) return;
    this.over.abort();
    this.isFresh = false;
    this.events.close();
    this.unfollow();
    this.unread.clear();
    const open = [this.root];
    for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
      entry.close();
      open.push(...entry.children.values());
    }
    this.markFailed(failure('MILLRACE_STORE_CLOSED', { session: this.options.session.id }));
  }

  private suspended(): void {
    this.connections++;
    this.behind = true;
    if (!this.isFresh) return;
    this.isFresh = false;
    this.emit({ type: 'stale' });
  }

  /** Reads everything again behind a sync, so that all that is known is newer than the reconnection. */
  private async reconnected(): Promise<void> {
    const { session, clock } = this.recipe;
    const { path } = this.options;
    const connection = ++this.connections;
    const { signal } = this.over;
    for (let synced = false; !synced;) {
      synced = await session.sync(path).then(
        () => true,
        () => false,
      );
      if (!synced) await pause(clock, STORE_RETRY_MIN_MS, signal);
      if (signal.aborted || connection !== this.connections) return;
    }
    this.attempt(() => {
      const open = [this.root];
      for (let entry = open.pop(); entry !== undefined && !signal.aborted; entry = open.pop()) {
        const listed = entry.list !== null;
        for (const each of [entry.data, entry.list]) if (each !== null) this.unread.delete(each);
        entry.close();
        this.followData(entry);
        if (listed) this.followList(entry);
        open.push(...entry.children.values());
      }
      this.behind = false;
    });
  }

  private followData(entry: Entry): void {
    entry.data = this.follow<StoreNode | null>(
      (listener) => this.options.session.watchNode(entry.path, listener),
      (node) => this.toldNode(entry, node),
    );
  }

  private followList(entry: Entry): void {
    entry.list = this.follow<readonly string[] | null>(
      (listener) => this.options.session.watchChildren(entry.path, listener),
      (names) => this.toldNames(entry, names ?? []),
    );
  }

  /** Follows something; it counts as unread until it has told its first state. */
  private follow<T>(watch: (listener: (state: T) => void) => Subscription, told: (state: T) => void): Subscription {
    const subscription = watch((state) => {
      this.unread.delete(subscription);
      this.attempt(() => told(state));
      this.settled();
    });
    this.unread.add(subscription);
    return subscription;
  }

  private toldNode(entry: Entry, node: StoreNode | null): void {
    const before = entry.node;
    if (before !== null && before.stat.createRevision !== node?.stat.createRevision) this.clear(entry);
    if (node === null || this.over.signal.aborted) return;
    if (entry.node?.stat.modifyRevision !== node.stat.modifyRevision) {
      const { nodesMax = TREE_CACHE_NODES_MAX, path } = this.options;
      if (entry.node === null && this.known.size >= nodesMax) {
        throw failure('MILLRACE_STORE_SUBTREE', { path, nodesMax });
      }
      entry.node = node;
      this.known.set(entry.path, node);
      this.emit({ type: 'set', path: entry.path, node });
    }
    // What is ephemeral has no children. A listener may have closed the cache.
    if (entry.list === null && node.stat.ephemeralOwner === null && !this.over.signal.aborted) this.followList(entry);
  }

  private toldNames(entry: Entry, names: readonly string[]): void {
    const now = new Set(names);
    for (const [name, child] of entry.children) {
      if (now.has(name)) continue;
      entry.children.delete(name);
      this.drop(child);
    }
    for (const name of names) {
      if (this.over.signal.aborted || entry.node === null) return;
      if (entry.children.has(name)) continue;
      const child = new Entry(childOf(entry.path, name));
      entry.children.set(name, child);
      this.followData(child);
    }
  }

  /** That name is not there any more. */
  private drop(entry: Entry): void {
    this.clear(entry);
    if (entry.data !== null) this.unread.delete(entry.data);
    entry.close();
  }

  /** The node that was there is gone, with everything below it; its name is still followed. */
  private clear(entry: Entry): void {
    if (entry.list !== null) this.unread.delete(entry.list);
    entry.list?.close();
    entry.list = null;
    for (const child of entry.children.values()) this.drop(child);
    entry.children.clear();
    if (entry.node === null) return;
    entry.node = null;
    this.known.delete(entry.path);
    this.emit({ type: 'deleted', path: entry.path });
  }

  /** Nothing is unread: what is known is whole. */
  private settled(): void {
    if (this.unread.size > 0 || this.isFresh || this.behind || this.over.signal.aborted) return;
    this.isFresh = true;
    if (this.isReady) {
      this.emit({ type: 'fresh' });
      return;
    }
    this.isReady = true;
    this.emit({ type: 'ready' });
    this.markReady();
  }

  private attempt(run: () => void): void {
    if (this.over.signal.aborted) return;
    try {
      run();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(reasonOf(thrown));
      this.markFailed(error);
      this.emit({ type: 'failed', error });
      this.close();
    }
  }

  private emit(event: TreeEvent): void {
    if (this.over.signal.aborted) return;
    try {
      this.options.listener(event);
    } catch (error) {
      this.recipe.logger.error(`a listener of subtree "${this.options.path}" threw: ${reasonOf(error)}`);
    }
  }
}
