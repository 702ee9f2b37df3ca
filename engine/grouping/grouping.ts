// The rule by which a stream's tuples are dealt to the tasks of a subscriber. One instance for each sending task and
// subscription; `select` runs once for each tuple and allocates nothing. A grouping answers with the index of a target
// among the subscriber's tasks, or with ALL. Runs on the worker's thread.

import type { Values } from '../component/tuple.js';

/** Every task of the subscriber gets a tuple of its own. */
export const ALL = -1;

export interface Grouping {
  select(values: Values): number;
}
