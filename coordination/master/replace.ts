// What the master does next about a topology that a new version is to replace, given how far both have come. Pure.
//
//   no room for both ───────────────────────────────────────────┐
//   placed ─► standby ── its lead says so ─► the other one aside ──┤ lost a host, failed, took too long
//          ─► the other one has let go ─► open ── is open ─┐       ├──────────────────────────────► refused
//                                       └──────────────────┼───────┘
//                                                          └─► the other one is killed ─► has ended ─► swapped
//
// One that is refused while it opens its spouts is closed first, and then the other one comes back.
//
// From `open` on what runs of the one before is left as it is, whatever hosts do: either it comes back or it ends.

import { failure, type MillraceError } from '../../engine/errors.js';
import { REPLACE_STEP_MAX_MS } from '../../engine/limits.js';
import type { Assignment, NextPlaced, RunReport, Wish } from '../topology-records.js';

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
  /** It is told whether it is to be active. */
  | { readonly type: 'tell' }
  /** Nobody wishes it any more: it ends, and the one before waits for that. */
  | { readonly type: 'close' }
  /** Nothing is left of it. */
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
  /** The host that leads the next version is. */
  readonly hasNextLead: boolean;
  /** What the next version says; null for nothing. */
  readonly nextReport: RunReport | null;
  /** It is where it is for too long. */
  readonly isLate: boolean;
}

export function replaceStep(each: Replacement): ReplaceStep {
  const { wish, assignment, hasLead, report } = each;
  const { next, name } = wish;
  const placed = assignment?.next;
  if (placed !== undefined && placed.id !== next?.id) return stepOfUnwished(each, placed.stage);
  if (next === undefined) return { type: 'wait', goesOn: true };
  if (placed?.stage === 'open' && assignment?.wanted === 'killed') {
    // For its last words nobody has to wait who is wished to end, or lost a host.
    const isOver = !hasLead || !each.hasNextHosts || wish.wanted === 'killed' || isEnded(report);
    if (isOver) return { type: 'swap' };
    return wish.wanted === placed.wanted ? { type: 'wait', goesOn: false } : { type: 'tell' };
  }
  if (wish.wanted === 'killed') {
    return { type: 'refuse', error: failure('MILLRACE_REPLACE_ENDED', { topology: name, state: 'being killed' }) };
  }
  if (isEnded(report) && placed?.stage !== 'open') return { type: 'wait', goesOn: true };
  if (assignment === null) return { type: 'swap' };
  if (placed !== undefined) return stepOf(each, assignment, placed);
  // Nothing runs that could go on or hand over.
  if (assignment.places.length === 0) return { type: 'swap' };
  // It is still on its way back from the last one.
  return report?.stage === 'aside' ? { type: 'wait', goesOn: true } : { type: 'place' };
}

/** What it has claimed, or has open, it has to let go of before the one before takes it back. */
function stepOfUnwished({ nextReport, hasNextLead, isLate }: Replacement, stage: NextPlaced['stage']): ReplaceStep {
  if (stage === 'standby' || nextReport?.state !== 'running' || !hasNextLead) return { type: 'drop' };
  // Whatever keeps it from its end, the one before does not wait for ever.
  if (stage === 'closing' && isLate) return { type: 'drop' };
  return stage === 'open' ? { type: 'close' } : { type: 'wait', goesOn: false };
}

function isEnded(report: RunReport | null): boolean {
  return report !== null && report.state !== 'running';
}

function stepOf(
  { wish: { name: topology, wanted }, hasLead, report, hasNextHosts, nextReport, isLate }: Replacement,
  { aside = false, places }: Assignment,
  placed: NextPlaced,
): ReplaceStep {
  const { stage } = placed;
  // One that was open and has come to its end takes the place all the same.
  const isOver = isEnded(nextReport) && (nextReport?.state !== 'completed' || nextReport.stage !== 'open');
  if (isOver) return { type: 'refuse', error: null };
  if (stage === 'open' && nextReport?.stage === 'open') return { type: hasLead ? 'end' : 'swap' };
  if (!hasNextHosts) return { type: 'refuse', error: failure('MILLRACE_REPLACE_HOST_LOST', { topology }) };
  if (isLate) {
    const what = whatOf(stage, aside);
    const seconds = REPLACE_STEP_MAX_MS / 1000;
    return { type: 'refuse', error: failure('MILLRACE_REPLACE_LATE', { topology, what, seconds }) };
  }
  if (stage === 'open') return wanted === placed.wanted ? { type: 'wait', goesOn: false } : { type: 'tell' };
  // Nobody is left who could let go.
  if (places.length === 0) return nextReport?.stage === 'standby' ? { type: 'open' } : { type: 'wait', goesOn: true };
  if (aside) return report?.stage === 'aside' ? { type: 'open' } : { type: 'wait', goesOn: true };
  return nextReport?.stage === 'standby' ? { type: 'aside' } : { type: 'wait', goesOn: true };
}

/** What it is that takes so long. */
function whatOf(stage: NextPlaced['stage'], aside: boolean): string {
  if (stage === 'open') return 'opening the spouts of the new version';
  return aside ? 'letting go of what the spouts of the version before read' : 'making the new version ready';
}
