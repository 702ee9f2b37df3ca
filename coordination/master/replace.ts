// What the master does next about a topology that a new version is to replace, given how far both have come. Pure.
//
//   no room for both ───────────────────────────────────────────┐
//   placed ─► standby ── its lead says so ─► the other one aside ──┤ lost a host, failed, took too long
//          ─► the other one has let go ─► open ── is open ─┐       ├──────────────────────────────► refused
//                                       └──────────────────┼───────┘
//                                                          └─► the other one is killed ─► has ended ─► swapped
//
// From `open` on what runs of the one before is left as it is, whatever hosts do: either it comes back or it ends.

import { failure, type MillraceError } from '../../engine/errors.js';
import { REPLACE_STEP_MAX_MS } from '../../engine/limits.js';
import type { Assignment, RunReport, Wish } from '../topology-records.js';

export type ReplaceStep =
  /** `goesOn`: what runs is decided on as without a replacement. */
  | { readonly type: 'wait'; readonly goesOn: boolean }
  /** It gets slots beside the one that runs. */
  | { readonly type: 'place' }
  | { readonly type: 'aside' }
  | { readonly type: 'open' }
  /** The one before is not needed any more. */
  | { readonly type: 'end' }
  /** It is the topology from now on. */
  | { readonly type: 'swap' }
  /** Nobody wishes it any more. */
  | { readonly type: 'drop' }
  /** Null: for what its last report says. */
  | { readonly type: 'refuse'; readonly error: MillraceError | null };

export interface Replacement {
  readonly wish: Wish;
  readonly assignment: Assignment | null;
  /** Somebody supervises the version that runs, or may do so again in a moment. */
  readonly hasLead: boolean;
  /** What that one says; null for nothing. */
  readonly report: RunReport | null;
  /** Every host of the next version is there, or may be again in a moment. */
  readonly hasNextHosts: boolean;
  /** What the next version says; null for nothing. */
  readonly nextReport: RunReport | null;
  /** It is where it is for too long. */
  readonly isLate: boolean;
}

export function replaceStep(each: Replacement): ReplaceStep {
  const { wish, assignment, hasLead, report } = each;
  const { next, name } = wish;
  const placed = assignment?.next;
  if (placed !== undefined && placed.id !== next?.id) return { type: 'drop' };
  if (next === undefined) return { type: 'wait', goesOn: true };
  if (placed?.stage === 'open' && assignment?.wanted === 'killed') {
    const isOver = !hasLead || (report !== null && report.state !== 'running');
    return isOver ? { type: 'swap' } : { type: 'wait', goesOn: false };
  }
  if (wish.wanted === 'killed') {
    return { type: 'refuse', error: failure('MILLRACE_REPLACE_ENDED', { topology: name, state: 'being killed' }) };
  }
  if (report !== null && report.state !== 'running' && placed?.stage !== 'open') return { type: 'wait', goesOn: true };
  // Nothing runs that could go on or hand over.
  if (assignment === null || assignment.places.length === 0) return { type: 'swap' };
  if (placed === undefined) return { type: 'place' };
  return stepOf(each, placed.stage, assignment.aside === true);
}

function stepOf(
  { wish: { name: topology }, report, hasNextHosts, nextReport, isLate }: Replacement,
  stage: 'standby' | 'open',
  aside: boolean,
): ReplaceStep {
  if (nextReport?.state === 'failed' || nextReport?.state === 'killed') return { type: 'refuse', error: null };
  if (stage === 'open' && nextReport?.stage === 'open') return { type: 'end' };
  if (!hasNextHosts) return { type: 'refuse', error: failure('MILLRACE_REPLACE_HOST_LOST', { topology }) };
  if (isLate) {
    const what = whatOf(stage, aside);
    const seconds = REPLACE_STEP_MAX_MS / 1000;
    return { type: 'refuse', error: failure('MILLRACE_REPLACE_LATE', { topology, what, seconds }) };
  }
  if (stage === 'open') return { type: 'wait', goesOn: false };
  if (aside) return report?.stage === 'aside' ? { type: 'open' } : { type: 'wait', goesOn: true };
  return nextReport?.stage === 'standby' ? { type: 'aside' } : { type: 'wait', goesOn: true };
}

/** What it is that takes so long. */
function whatOf(stage: 'standby' | 'open', aside: boolean): string {
  if (stage === 'open') return 'opening the spouts of the new version';
  return aside ? 'letting go of what the spouts of the version before read' : 'making the new version ready';
}
