// Gives every task of the subscriber a tuple of its own, each with an edge of its own in the tree: the tree is done
// when all of them are. For what every task has to know, such as settings that change.

import { ALL, type Grouping } from './grouping.js';

export class AllGrouping implements Grouping {
  select(): number {
    return ALL;
  }
}
