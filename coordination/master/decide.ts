// What the master does about one topology, given what is wished, where it runs, and who is there. Pure.
//
//   wished      │ has no place              │ runs on hosts that are there  │ a host of it is gone
//   active      │ gets a place, or waits    │ told to be active             │ gets another place, or waits
//   rebalanced  │                           │ told, with more or less slots │
//   inactive    │ nothing                   │ told to rest, keeps its place │ loses its place
//   killed      │ ends                      │ told to end                   │ ends when none of its hosts is left

import {
  changesOf,
  type Assignment,
  type EndState,
  type RunReport,
  type Wish,
  type WorkerPlace,
} from '../topology-records.js';

export type Decision =
  | { readonly type: 'nothing' }
  /** It is over. */
  | { readonly type: 'end'; readonly state: EndState; readonly reported: RunReport | null }
  /** The same places, or some more or less of its host, and another wish. */
  | { readonly type: 'tell' }
  /** Places are to be found; its old ones are free. */
  | { readonly type: 'place' }
  /** It has no place any more, and needs none. */
  | { readonly type: 'take away' };

export interface Situation {
  readonly wish: Wish;
  readonly assignment: Assignment | null;
  readonly isThere: (place: WorkerPlace) => boolean;
  /** What hosts say of the present revision. */
  readonly reports: readonly RunReport[];
}

export function decide({ wish, assignment, isThere, reports }: Situation): Decision {
  const reported = reports.find(({ state }) => state !== 'running');
  if (reported !== undefined && reported.state !== 'running') return { type: 'end', state: reported.state, reported };
  const places = assignment?.places ?? [];
  if (assignment === null || places.length === 0) {
    if (wish.wanted === 'killed') return { type: 'end', state: 'killed', reported: null };
    return { type: wish.wanted === 'active' ? 'place' : 'nothing' };
  }
  const there = places.filter(isThere).length;
  if (wish.wanted === 'killed') {
    if (there === 0) return { type: 'end', state: 'killed', reported: null };
    return { type: assignment.wanted === 'killed' ? 'nothing' : 'tell' };
  }
  if (there < places.length) return { type: wish.wanted === 'active' ? 'place' : 'take away' };
  const isTold = assignment.wanted === wish.wanted && changesOf(assignment) === changesOf(wish);
  return { type: isTold ? 'nothing' : 'tell' };
}
