// What one bolt task has to do with a change of the plan, from the moment its worker hears of it until it is carried
// out. An owner lets go of what it owns; a new owner holds its input until the old ones have let go. A task that stays
// may be both.
//
//   owner:      marker of each source ─► nothing in front of them waits ─► its calls and commits are done ─► lets go
//   new owner:  what comes behind markers is held ─────────────── all old owners have let go ─► released
//
// Every sender marks its channels at the moment at which it sends by the new plan, whatever it waits for, and an owner
// needs nothing that is held to let go: tasks at the end of the stream let go first, then those before them. So holding
// never waits for itself. On the worker's thread.

import type { Timer } from '../clock.js';

/** The task that hands over. */
export interface HandingOver {
  readonly inbox: { readonly takeable: number };
  /** All that was in front of the markers has been taken: calls and commits of now are waited for. */
  drained(): Timer;
  /** Nothing of what was in front of the markers is under way any more. */
  isClear(leaves: boolean): boolean;
  /** What was held may be taken. */
  released(): void;
  letGo(leaves: boolean): void;
}

export interface HandOverSetup {
  readonly revision: number;
  /** The sources whose markers are waited for; null for one that owned nothing before. */
  readonly sources: Iterable<number> | null;
  /** Those of them that are gone before the plan changes: their end stands for a marker. */
  readonly parting: ReadonlySet<number>;
  /** The tasks that have to let go before what is held may be taken. */
  readonly waits: Iterable<number>;
  /** It is not part of the new plan. */
  readonly leaves: boolean;
  /** The task whose place it takes. */
  readonly predecessor: number | null;
}

export class HandOver {
  readonly revision: number;
  readonly leaves: boolean;
  /** The task that it takes the place of had ended, so there is nothing to finish here. */
  endsAtOnce = false;
  /** What is not settled by now is given up. */
  expired = false;
  private readonly isOwner: boolean;
  private readonly parting: ReadonlySet<number>;
  /** The new plan holds. */
  private hasBegun: boolean;
  private readonly unmarked: Set<number>;
  private readonly owners: Set<number>;
  private readonly predecessor: number | null;
  private isDrained: boolean;
  private isReleased = false;
  private hasLetGo: boolean;
  private timer: Timer | null = null;

  constructor(setup: HandOverSetup) {
    this.revision = setup.revision;
    this.leaves = setup.leaves;
    this.isOwner = setup.sources !== null;
    this.parting = setup.parting;
    this.hasBegun = !this.isOwner;
    this.unmarked = new Set(setup.sources ?? []);
    this.owners = new Set(setup.waits);
    this.predecessor = setup.predecessor;
    this.isDrained = !this.isOwner;
    this.hasLetGo = !this.isOwner;
  }

  /** Nothing is left to do. */
  get done(): boolean {
    return this.isReleased && this.hasLetGo;
  }

  /** What comes from that task now stands behind its marker, and has to wait. */
  holds(source: number): boolean {
    return !this.leaves && !this.isReleased && !this.unmarked.has(source);
  }

  /** What that source sends from now on stands behind its marker; or it is dead, and nothing more comes. */
  mark(source: number): void {
    this.unmarked.delete(source);
  }

  /** The end of that source came. */
  sourceEnded(source: number): void {
    if (this.parting.has(source)) this.mark(source);
  }

  /** The new plan holds from now on: what is owned may be let go of. */
  begin(): void {
    this.hasBegun = true;
  }

  /** That task has let go; false when nobody here waited for it. */
  ownerLetGo(owner: number, ended: boolean): boolean {
    if (!this.owners.delete(owner)) return false;
    if (ended && owner === this.predecessor) this.endsAtOnce = true;
    return true;
  }

  /** Goes as far as it can; called whenever the task has run. */
  step(task: HandingOver): void {
    if (!this.hasBegun) return;
    if (!this.isDrained) {
      if (this.unmarked.size > 0 || task.inbox.takeable > 0) return;
      this.isDrained = true;
      this.timer = task.drained();
    }
    if (!this.isReleased && this.owners.size === 0) {
      this.isReleased = true;
      task.released();
    }
    if (this.hasLetGo || !(this.expired || task.isClear(this.leaves))) return;
    this.hasLetGo = true;
    this.cancel();
    task.letGo(this.leaves);
  }

  /** The change is called off, or the worker stops. */
  cancel(): void {
    this.timer?.cancel();
    this.timer = null;
  }
}
