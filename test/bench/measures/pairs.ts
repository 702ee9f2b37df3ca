// Groups that answer one question each, with what is asked about beside what it is asked against: what tracking costs,
// what a second worker brings, what further hosts do, and whether the planner ever makes things worse.

import type { Group } from '../measured.js';
import { CROSSING, HOSTS, ONE, placed, PLANNED, THREADS, type Placement } from '../placements.js';

const words = { topology: 'words', components: ['source', 'split', 'count'] } as const;
const busy = { topology: 'busy', components: ['source', 'busy', 'sink'] } as const;

/** As it is written, one task of each component, wherever the planner puts them. */
const AS_WRITTEN: Placement = {
  label: 'written',
  name: 'two threads, as written',
  workers: 2,
  processes: 1,
  parallelism: 1,
};

/** Tracked beside untracked, in one thread and in two. */
export const tracking: readonly Group[] = [ONE, CROSSING, PLANNED].map((placement): Group => [
  placed({ ...words, placement, tracked: false }),
  placed({ ...words, placement, tracked: true }),
]);

/** Twenty microseconds of work a tuple, in one thread and in two. */
export const work: Group = [
  placed({ ...busy, placement: ONE, tracked: true }),
  placed({ ...busy, placement: PLANNED, tracked: true }),
];

/** The word count on two workers as the planner places it, beside one worker. */
export const planner: Group = [
  placed({ ...words, placement: ONE, tracked: true }),
  placed({ ...words, placement: AS_WRITTEN, tracked: true }),
  placed({ ...words, placement: PLANNED, tracked: true }),
];

/** The word count on one host, in one thread and in three, beside three processes that are linked as hosts are. */
export const hosts: Group = [
  placed({ ...words, placement: ONE, tracked: true }),
  placed({ ...words, placement: THREADS, tracked: true }),
  placed({ ...words, placement: HOSTS, tracked: true }),
];
