// Which task owns which keys: a key's hash names one of a fixed number of key groups, and each task owns a contiguous
// range of them. Parallelism can then change in both directions while state moves by ranges (as in Flink, "key
// groups"). Pure.

/** The index of the task, among `parallelism` tasks, that owns this key group. */
export function taskIndexOfKeyGroup(group: number, keyGroups: number, parallelism: number): number {
  return Math.floor((group * parallelism) / keyGroups);
}

/** The key groups of the task with that index: from `first` to below `end`. */
export function keyGroupRange(
  index: number,
  keyGroups: number,
  parallelism: number,
): { readonly first: number; readonly end: number } {
  return {
    first: Math.ceil((index * keyGroups) / parallelism),
    end: Math.ceil(((index + 1) * keyGroups) / parallelism),
  };
}
