// A simulated server: a tree that follows the leader's, late by a lag that chance draws. It answers reads from that
// tree, so what it shows may be old, and hands writes on. Cut off from the leader it shows old things for a while, then
// lets its clients go; joined again it takes over the whole tree.
//
//   leader ──changes, in order, late──► tree ──► reads, watches
//             │ cut: none come              └ `reached(revision)`: answers of writes wait until the tree has them
//             └ cut for long: serves nobody ──joined──► copy of the leader's tree

import type { Clock, Timer } from '../../../engine/clock.js';
import { SIMULATED_SYNC_LIMIT_MS } from '../../../engine/limits.js';
import { parentOf } from '../node-path.js';
import { Tree, walk, type Effect } from '../embedded/tree.js';
import type { Chance } from './faults.js';
import type { Change, Leader } from './leader.js';

/** Something at a server that follows a node. */
export interface ServerWatch {
  readonly kind: 'node' | 'children';
  readonly path: string;
  /** What it follows is not as it was, or somebody else may read it now. */
  readonly changed: () => void;
}

export class Server {
  readonly leader: Leader;
  tree = new Tree();
  /** The last change that its tree has. */
  revision = 0;
  /** Whether anything passes between it and the leader. */
  joined = true;
  /** Whether it takes clients. */
  serving = true;
  private readonly clock: Clock;
  private readonly chance: Chance;
  /** Called when it lets its clients go. */
  private readonly letGo: () => void;
  private readonly watches = new Set<ServerWatch>();
  /** Changes on their way, with when they are here. */
  private coming: { readonly atMs: number; readonly change: Change }[] = [];
  private waiting: { readonly revision: number; readonly call: () => void }[] = [];
  private limit: Timer | null = null;

  constructor(leader: Leader, clock: Clock, chance: Chance, letGo: () => void) {
    this.leader = leader;
    this.clock = clock;
    this.chance = chance;
    this.letGo = letGo;
  }

  /** Whether what it asks of the leader gets there. */
  get connected(): boolean {
    return this.joined && this.leader.running;
  }

  /** The leader decided a change. */
  come(change: Change): void {
    if (!this.serving) return;
    const atMs = Math.max(this.coming.at(-1)?.atMs ?? 0, this.clock.now() + this.chance.ms('lagMs'));
    this.coming.push({ atMs, change });
    if (this.joined) this.clock.after(atMs - this.clock.now(), () => this.take());
  }

  /** Calls as soon as its tree has that change; never when it has to take over the whole tree before. */
  reached(revision: number, call: () => void): void {
    if (this.revision >= revision) call();
    else this.waiting.push({ revision, call });
  }

  follow(watch: ServerWatch): void {
    this.watches.add(watch);
  }

  unfollow(watch: ServerWatch): void {
    this.watches.delete(watch);
  }

  cut(): void {
    if (!this.joined) return;
    this.joined = false;
    this.limit = this.clock.after(SIMULATED_SYNC_LIMIT_MS, () => this.stop());
  }

  /** Serves nobody, from now on until it is joined again. */
  stop(): void {
    this.limit?.cancel();
    this.serving = false;
    this.coming = [];
    this.waiting = [];
    this.letGo();
    this.watches.clear();
  }

  join(): void {
    this.limit?.cancel();
    this.joined = true;
    if (!this.serving) {
      this.tree = copyOf(this.leader.tree);
      this.revision = this.leader.revision;
      this.serving = true;
    }
    this.take();
    for (const { atMs } of this.coming) this.clock.after(atMs - this.clock.now(), () => this.take());
  }

  private take(): void {
    while (this.joined && this.coming.length > 0 && this.coming[0]!.atMs <= this.clock.now()) {
      const { revision, effects } = this.coming.shift()!.change;
      for (const effect of effects) this.tree.apply(effect, revision);
      this.revision = revision;
      this.tell(effects);
      const due = this.waiting.filter((each) => each.revision <= revision);
      this.waiting = this.waiting.filter((each) => each.revision > revision);
      for (const { call } of due) call();
    }
  }

  private tell(effects: readonly Effect[]): void {
    if (this.watches.size === 0) return;
    const nodes = new Set<string>();
    const parents = new Set<string>();
    for (const effect of effects) {
      if (effect.type === 'boot') continue;
      nodes.add(effect.path);
      if (effect.type === 'set') continue;
      parents.add(effect.path);
      if (effect.type !== 'access') parents.add(parentOf(effect.path));
    }
    for (const watch of [...this.watches]) {
      if ((watch.kind === 'node' ? nodes : parents).has(watch.path)) watch.changed();
    }
  }
}

function copyOf(from: Tree): Tree {
  const tree = new Tree();
  for (const [path, node] of walk(from)) tree.restore(path, node);
  return tree;
}
