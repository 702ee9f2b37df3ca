// The nodes below a path, followed over any number of sessions. What is known of each node outlives the session, so a
// new one brings differences only: what was changed meanwhile, and what was deleted. A node is let go when the list of
// its parent does not have it, never by its own state alone, because it may have been created again by then.
// Invariants: what is told of a node differs from what was told of it before; no more than `nodesMax` nodes are held.
// Any thread.
//
//   attach(session) ─► root: data and children watched ─► each child the same ─► …
//                        data: another revision ─► set     none any more ─► deleted
//                        children: not listed ─► it and all below it deleted and let go

import type { Session, Stat, StoreNode, Subscription } from '../../store/contract.js';
import { childOf } from '../../store/node-path.js';

/** What a subtree tells of. */
export interface SubtreeListener {
  set(node: StoreNode): void;
  /** @param stat - what was last known of it */
  deleted(path: string, stat: Stat): void;
  /** There are more nodes than may be held; nothing more is told. */
  tooMany(): void;
  /** The store lets no more be followed; nothing more is told. */
  failed(error: unknown): void;
}

interface Entry {
  readonly path: string;
  readonly children: Map<string, Entry>;
  /** What was told last; null when there is no such node. */
  stat: Stat | null;
  /** In the present session; empty when it was not reached in it yet. */
  watches: readonly Subscription[];
}

export class Subtree {
  private readonly nodesMax: number;
  private readonly listener: SubtreeListener;
  private readonly root: Entry;
  private session: Session | null = null;
  private entries = 1;
  private over = false;

  constructor(path: string, nodesMax: number, listener: SubtreeListener) {
    this.nodesMax = nodesMax;
    this.listener = listener;
    this.root = entryOf(path);
  }

  /** How many nodes are held. */
  get size(): number {
    return this.entries;
  }

  /** Follows on in that session. */
  attach(session: Session): void {
    this.detach();
    if (this.over) return;
    this.session = session;
    this.watch(this.root);
  }

  /** Follows no longer; what is known stays. May be called again. */
  detach(): void {
    if (this.session === null) return;
    this.session = null;
    unwatch(this.root);
  }

  private watch(entry: Entry): void {
    const { session } = this;
    if (session === null || entry.watches.length > 0) return;
    try {
      entry.watches = [session.watchNode(entry.path, (node) => this.read(entry, node))];
      const children = session.watchChildren(entry.path, (names) => this.listed(entry, names ?? []));
      entry.watches = [...entry.watches, children];
    } catch (error) {
      // The next session begins anew.
      if (session.ended.aborted) return;
      this.end();
      this.listener.failed(error);
    }
  }

  private end(): void {
    this.over = true;
    this.detach();
  }

  private read(entry: Entry, node: StoreNode | null): void {
    const before = entry.stat;
    if (node === null) {
      this.goneWithAllBelow(entry);
    } else if (before === null || !isSame(before, node.stat)) {
      entry.stat = node.stat;
      this.listener.set(node);
    }
  }

  private listed(entry: Entry, names: readonly string[]): void {
    const listed = new Set(names);
    for (const [name, child] of entry.children) {
      if (listed.has(name)) continue;
      entry.children.delete(name);
      this.drop(child);
    }
    for (const name of listed) {
      let child = entry.children.get(name);
      if (child === undefined) {
        if (this.entries >= this.nodesMax) {
          this.end();
          this.listener.tooMany();
          return;
        }
        this.entries++;
        child = entryOf(childOf(entry.path, name));
        entry.children.set(name, child);
      }
      this.watch(child);
    }
  }

  /** Lets it go with all below it, the deepest first. */
  private drop(entry: Entry): void {
    for (const child of entry.children.values()) this.drop(child);
    for (const watch of entry.watches) watch.close();
    this.entries--;
    this.gone(entry);
  }

  /** A node cannot go before its children; what is created anew is told by its own watch. */
  private goneWithAllBelow(entry: Entry): void {
    for (const child of entry.children.values()) this.goneWithAllBelow(child);
    this.gone(entry);
  }

  private gone(entry: Entry): void {
    const { stat } = entry;
    entry.stat = null;
    if (stat !== null) this.listener.deleted(entry.path, stat);
  }
}

function entryOf(path: string): Entry {
  return { path, children: new Map(), stat: null, watches: [] };
}

function unwatch(entry: Entry): void {
  for (const watch of entry.watches) watch.close();
  entry.watches = [];
  for (const child of entry.children.values()) unwatch(child);
}

/** Whether nobody set the data in between, nor made the node anew. */
function isSame(a: Stat, b: Stat): boolean {
  return a.createRevision === b.createRevision && a.modifyRevision === b.modifyRevision;
}
