// What the master does about one topology, given what is wished, where it runs, and who is there. Pure.
//
//   wished      │ has no place              │ runs, and its lead is there   │ its lead is gone
//   active      │ gets places, or waits     │ told to be active             │ starts anew, or waits
//   rebalanced  │                           │ told, with more or less slots │
//   inactive    │ nothing                   │ told to rest, keeps its place │ loses its place
//   killed      │ ends                      │ told to end                   │ ends
//
// Where its workers go, arrange.ts says.

import type { Assignment, EndState, RunReport, Wish } from '../topology-records.js';

export type Decision =
  | { readonly type: 'nothing' }
  /** It is over. */
  | { readonly type: 'end'; readonly state: EndState }
  /** That it is killed; its places stay. */
  | { readonly type: 'kill' }
  /** It is to be where it is best, and told what is wished. */
  | { readonly type: 'arrange' };

export interface Situation {
  readonly wish: Wish;
  readonly assignment: Assignment | null;
  /** Somebody supervises it, or may do so again in a moment. */
  readonly hasLead: boolean;
  /** What its lead says of the present revision; null for nothing. */
  readonly report: RunReport | null;
}

export function decide({ wish, assignment, hasLead, report }: Situation): Decision {
  if (report !== null && report.state !== 'running') return { type: 'end', state: report.state };
  const runs = assignment !== null && assignment.places.length > 0;
  if (wish.wanted === 'killed') {
    if (!runs || !hasLead) return { type: 'end', state: 'killed' };
    return { type: assignment.wanted === 'killed' ? 'nothing' : 'kill' };
  }
  return { type: runs || wish.wanted === 'active' ? 'arrange' : 'nothing' };
}
