// Deals tuples round and round, so that after each round every task has had the same number from this sender. Each
// sender starts at another place, or the first task would get the first tuple of them all.

import type { Grouping } from './grouping.js';

export class ShuffleGrouping implements Grouping {
  private next: number;
  private readonly targets: number;

  constructor(targets: number, senderIndex: number) {
    this.targets = targets;
    this.next = senderIndex % targets;
  }

  select(): number {
    const index = this.next;
    this.next = index + 1 === this.targets ? 0 : index + 1;
    return index;
  }
}
