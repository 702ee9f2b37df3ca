// A grouping that a user writes: which tasks of a subscriber get a tuple. Runs where the tuple is emitted, once for
// each tuple, so it should be quick and must not wait. Pure types; the engine calls it from grouping/custom.ts.

import type { Values } from './tuple.js';

/** Which tasks get a tuple: the index of one of the targets, several of them, or none. */
export type Chosen = number | readonly number[] | null | undefined;

/**
 * Chooses tasks, with a state of its own: each sending task makes an instance for each subscription.
 *
 * @typeParam V - the values of the stream that it deals
 */
export interface CustomGrouping<V extends Values = Values> {
  /**
   * @param values - those of the tuple
   * @param targets - the numbers of the subscriber's tasks, in order; they change when its parallelism does
   * @returns indexes in `targets`, each at most once; anything else, or an error, fails the emit
   */
  choose(values: V, targets: readonly number[]): Chosen;
}

/** One function without a state. */
export type ChooseTasks<V extends Values = Values> = (values: V, targets: readonly number[]) => Chosen;

/** What `.custom(source, …)` takes: a function, or a class whose constructor takes nothing. */
export type CustomGroupingSource<V extends Values = Values> = ChooseTasks<V> | (new () => CustomGrouping<V>);
