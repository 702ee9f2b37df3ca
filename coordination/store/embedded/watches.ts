// Who follows which node of the embedded store. A watch keeps only the last state that it has not told: a burst of
// changes is one call, and the last state is always told. Listeners run in a turn of their own, never inside a call of
// the store, so they may call it. The host's main thread.

import { failure, reasonOf } from '../../../engine/errors.js';
import { STORE_WATCHES_MAX } from '../../../engine/limits.js';
import type { Logger } from '../../../engine/log.js';
import type { Subscription } from '../contract.js';
import { parentOf } from '../node-path.js';
import type { Effect, Tree } from './tree.js';

type Kind = 'node' | 'children';

interface Watch {
  readonly path: string;
  readonly session: string;
  /** Reads what there is to tell. */
  readonly capture: (tree: Tree) => () => void;
  tell: (() => void) | null;
  /** The last state could not be read: it is told when the access rules of the node change. */
  owed: boolean;
  closed: boolean;
}

export class Watches {
  private readonly byKind: Readonly<Record<Kind, Map<string, Set<Watch>>>> = { node: new Map(), children: new Map() };
  private readonly logger: Logger;
  private count = 0;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  /**
   * Follows; nothing is told before `changed` or `begin` says so.
   *
   * @throws MILLRACE_STORE_TOO_MANY
   */
  add<T>(kind: Kind, path: string, session: string, read: (tree: Tree) => T, listener: (state: T) => void): Watched {
    if (this.count >= STORE_WATCHES_MAX) {
      throw failure('MILLRACE_STORE_TOO_MANY', { count: this.count, what: 'watches' });
    }
    const capture = (tree: Tree): (() => void) => {
      const state = read(tree);
      return () => listener(state);
    };
    const watch: Watch = { path, session, capture, tell: null, owed: false, closed: false };
    const all = this.byKind[kind];
    all.set(path, (all.get(path) ?? new Set()).add(watch));
    this.count++;
    return {
      begin: (tree) => this.note(watch, tree),
      close: () => this.remove(kind, watch),
    };
  }

  /** These effects are acknowledged, and the tree is as they left it. */
  changed(effects: readonly Effect[], tree: Tree): void {
    if (this.count === 0) return;
    const nodes = new Set<string>();
    const parents = new Set<string>();
    for (const effect of effects) {
      if (effect.type === 'boot') continue;
      if (effect.type === 'access') {
        for (const kind of ['node', 'children'] as const) {
          this.byKind[kind].get(effect.path)?.forEach((watch) => watch.owed && this.note(watch, tree));
        }
        continue;
      }
      nodes.add(effect.path);
      if (effect.type === 'set') continue;
      parents.add(parentOf(effect.path));
      // A node that comes or goes has its own list of children come or go.
      parents.add(effect.path);
    }
    for (const path of nodes) this.byKind.node.get(path)?.forEach((watch) => this.note(watch, tree));
    for (const path of parents) this.byKind.children.get(path)?.forEach((watch) => this.note(watch, tree));
  }

  /** That session is over: its watches say nothing more. */
  endSession(session: string): void {
    for (const kind of ['node', 'children'] as const) {
      for (const watches of [...this.byKind[kind].values()]) {
        for (const watch of [...watches]) if (watch.session === session) this.remove(kind, watch);
      }
    }
  }

  private note(watch: Watch, tree: Tree): void {
    if (watch.closed) return;
    const scheduled = watch.tell !== null;
    try {
      watch.tell = watch.capture(tree);
      watch.owed = false;
    } catch (error) {
      if (!watch.owed) this.logger.warn(`node "${watch.path}" is followed and cannot be read: ${reasonOf(error)}`);
      watch.owed = true;
      return;
    }
    if (!scheduled) queueMicrotask(() => this.tell(watch));
  }

  private tell(watch: Watch): void {
    const { tell } = watch;
    watch.tell = null;
    if (watch.closed || tell === null) return;
    try {
      tell();
    } catch (error) {
      this.logger.error(`a listener of node "${watch.path}" threw: ${reasonOf(error)}`);
    }
  }

  private remove(kind: Kind, watch: Watch): void {
    if (watch.closed) return;
    watch.closed = true;
    this.count--;
    const all = this.byKind[kind].get(watch.path);
    all?.delete(watch);
    if (all?.size === 0) this.byKind[kind].delete(watch.path);
  }
}

export interface Watched extends Subscription {
  /** Tells the present state. */
  begin(tree: Tree): void;
}
