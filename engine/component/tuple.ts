// What user code sees of a tuple: its values, and where they come from. Tuples of one thread pass by reference, so
// values must not be changed. The engine's own class (task/task-tuple.ts) implements it. Pure types.

/** The values of a tuple, in the order of its stream's fields: plain data, never changed after the emit. */
export type Values = readonly unknown[];

/**
 * One list of values on a stream.
 *
 * @typeParam V - the types of the values, best written with names: `Tuple<[word: string, count: number]>`
 */
export interface Tuple<V extends Values = Values> {
  readonly values: V;
  /** The id of the component that emitted it. */
  readonly component: string;
  readonly stream: string;
  /** The task that emitted it. */
  readonly task: number;
  /** The names of the values, in their order. */
  readonly fields: readonly string[];
  /** The value of that field; undefined when the stream has no such field. */
  get(field: string): unknown;
  /** The values by field name: `{ word: 'whale', count: 1 }`. */
  toObject(): Record<string, unknown>;
}
