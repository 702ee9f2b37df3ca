// Deals tuples round and round, so that after each round every task has had the same number from this sender. Each
// sender starts at another place, or the first task would get the first tuple of them all.
//
// Every so many tuples it looks at how full the ways to its targets are. One that is more than a quarter full is passed
// over in some rounds, in proportion, and not at all once it has drained; tuples that are on their way stay there, so
// order holds between this sender and each task.
//
//   credit[i] += weights[i] in each round;  at FULL it gets a tuple        weights: 16 16 4 16 ─► every 4th round
//
// It prefers the tasks of its own worker while these keep up and its thread has time to spare: a tuple that crosses
// costs more than one that stays, but a saturated thread needs the help of others, as long as one of them has time.

import { FILL_KEPT_UP, FILL_NARROWED, FILL_WIDENED, SHUFFLE_LOOK_TUPLES } from '../limits.js';
import type { Grouping, GroupingTarget, SendingWorker } from './grouping.js';

const FULL = 16;

/** Which targets come first: all alike, those of the own worker while they keep up, or those of the own worker only. */
export type Locality = 'any' | 'preferred' | 'only';

export class ShuffleGrouping implements Grouping {
  private readonly targets: readonly GroupingTarget[];
  private readonly worker: SendingWorker;
  /** Those that tuples are dealt to now are the first `dealt` ones of `order`: the local ones stand first. */
  private readonly order: Int32Array;
  private readonly locals: number;
  private readonly prefers: boolean;
  private dealt: number;
  private next: number;
  private untilLook: number;
  private readonly lookEvery: number;
  private readonly weights: Int32Array;
  private readonly credit: Int32Array;

  constructor(targets: readonly GroupingTarget[], senderIndex: number, worker: SendingWorker, locality: Locality) {
    this.targets = targets;
    this.worker = worker;
    const local = targets.flatMap((target, index) => (target.isLocal ? [index] : []));
    const others = targets.flatMap((target, index) => (target.isLocal ? [] : [index]));
    this.locals = local.length;
    const divided = locality !== 'any' && local.length > 0 && others.length > 0;
    this.order = divided ? Int32Array.from([...local, ...others]) : Int32Array.from(targets.keys());
    this.prefers = divided && locality === 'preferred';
    this.dealt = divided ? local.length : targets.length;
    this.next = senderIndex % this.dealt;
    this.lookEvery = Math.max(SHUFFLE_LOOK_TUPLES, targets.length);
    this.untilLook = this.lookEvery;
    this.weights = new Int32Array(targets.length).fill(FULL);
    this.credit = new Int32Array(targets.length);
  }

  select(): number {
    if (--this.untilLook === 0) this.look();
    const { order, weights, credit, dealt } = this;
    let at = this.next;
    // At least one weight is full.
    for (;;) {
      const index = order[at]!;
      if (++at === dealt) at = 0;
      const sum = credit[index]! + weights[index]!;
      if (sum < FULL) {
        credit[index] = sum;
        continue;
      }
      credit[index] = sum - FULL;
      this.next = at;
      return index;
    }
  }

  private look(): void {
    this.untilLook = this.lookEvery;
    if (this.prefers) this.chooseScope();
    const { order, weights, targets, dealt } = this;
    let most = 0;
    for (let i = 0; i < dealt; i++) most = Math.max(most, freeShare(targets[order[i]!]!.fill));
    for (let i = 0; i < dealt; i++) {
      const index = order[i]!;
      weights[index] = most === 0 ? FULL : Math.round((FULL * freeShare(targets[index]!.fill)) / most);
    }
  }

  private chooseScope(): void {
    let sum = 0;
    for (let i = 0; i < this.locals; i++) sum += this.targets[this.order[i]!]!.fill;
    const fill = sum / this.locals;
    const isWide = this.dealt > this.locals;
    const needsHelp = this.worker.saturated && this.othersHaveTime();
    if (!isWide && (needsHelp || fill > FILL_WIDENED)) this.deal(this.targets.length);
    else if (isWide && !needsHelp && fill < FILL_NARROWED) this.deal(this.locals);
  }

  private othersHaveTime(): boolean {
    for (let i = this.locals; i < this.order.length; i++) if (!this.targets[this.order[i]!]!.saturated) return true;
    return false;
  }

  private deal(count: number): void {
    this.dealt = count;
    if (this.next >= count) this.next = 0;
  }
}

/** 1 for a target that keeps up, down to 0 for one that is full; 0 as well for a fill that is no number. */
function freeShare(fill: number): number {
  if (fill <= FILL_KEPT_UP) return 1;
  return fill < 1 ? (1 - fill) / (1 - FILL_KEPT_UP) : 0;
}
