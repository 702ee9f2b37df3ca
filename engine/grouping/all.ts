// Gives every task of the subscriber a tuple of its own, each with an edge of its own in the tree.

import { ALL, type Grouping } from './grouping.js';

export class AllGrouping implements Grouping {
  select(): number {
    return ALL;
  }
}
