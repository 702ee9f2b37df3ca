// The children of a node with their data, followed: first as they are, then after each change. States may be skipped
// when they follow quickly, the last one never is. Bound to one session. Main thread.

import type { Session, StoreNode, Subscription } from '../store/contract.js';
import { childOf } from '../store/node-path.js';

export class DirectoryCache {
  /** Resolves when every child that was there at the beginning is known. */
  readonly ready: Promise<void>;
  private readonly session: Session;
  private readonly path: string;
  private readonly changed: () => void;
  private readonly known = new Map<string, StoreNode>();
  private readonly watches = new Map<string, Subscription>();
  /** Children of which nothing was read yet. */
  private readonly unread = new Set<string>();
  private readonly list: Subscription;
  private markReady: () => void = () => undefined;
  private isReady = false;

  /** @param changed - called after each change once it is ready, and when it becomes ready */
  constructor(session: Session, path: string, changed: () => void) {
    this.session = session;
    this.path = path;
    this.changed = changed;
    this.ready = new Promise((resolve) => (this.markReady = resolve));
    this.list = session.watchChildren(path, (names) => this.listed(names ?? []));
  }

  /** The nodes by their names. */
  get nodes(): ReadonlyMap<string, StoreNode> {
    return this.known;
  }

  close(): void {
    this.list.close();
    for (const watch of this.watches.values()) watch.close();
    this.watches.clear();
  }

  private listed(names: readonly string[]): void {
    const now = new Set(names);
    for (const [name, watch] of this.watches) if (!now.has(name)) this.forget(name, watch);
    for (const name of now) {
      if (this.watches.has(name)) continue;
      // What cannot be watched is not waited for either.
      const watch = this.session.watchNode(childOf(this.path, name), (node) => this.read(name, node));
      this.watches.set(name, watch);
      this.unread.add(name);
    }
    this.settled();
  }

  private forget(name: string, watch: Subscription): void {
    watch.close();
    this.watches.delete(name);
    this.known.delete(name);
    this.unread.delete(name);
  }

  private read(name: string, node: StoreNode | null): void {
    this.unread.delete(name);
    if (node === null) this.known.delete(name);
    else this.known.set(name, node);
    this.settled();
  }

  private settled(): void {
    if (this.isReady) {
      this.changed();
    } else if (this.unread.size === 0) {
      this.isReady = true;
      this.markReady();
      this.changed();
    }
  }
}
