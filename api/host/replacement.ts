// What a host tells of a topology that a new version is to replace: how far that is, and why the last one did not, as
// the store knows it. Pure.

import type { LiveTopology } from '../../coordination/topologies.js';
import type { Assignment } from '../../coordination/topology-records.js';
import type { RefusedReplacement, ReplacementStage, ReplacementStatus, WorkerSlot } from './service.js';

/** What is about to replace it; null: nothing. */
export function replacementOf({
  wish,
  assignment,
}: Pick<LiveTopology, 'wish' | 'assignment'>): ReplacementStatus | null {
  const { next } = wish;
  if (next === undefined) return null;
  const { id, version = null, submittedAtMs, workers, tasks } = next;
  const placed = assignment?.next?.id === id ? assignment : null;
  const places = slotsOf(placed?.next?.places ?? []);
  return { id, version, submittedAtMs, workers, tasks, places, stage: stageOf(placed) };
}

/** The last one that was to replace it, and did not. */
export function refusedOf({ wish: { refused, next } }: Pick<LiveTopology, 'wish'>): RefusedReplacement | null {
  return refused === undefined || next !== undefined ? null : { id: refused.id, error: refused.error };
}

/** Places without the life of the host that they are at. */
export function slotsOf(places: Assignment['places']): readonly WorkerSlot[] {
  return places.map(({ host, slot }) => ({ host, slot }));
}

/** @param assignment - of both versions; null while the next one has no place */
function stageOf(assignment: Assignment | null): ReplacementStage {
  if (assignment === null) return 'placing';
  if (assignment.next?.stage === 'open') return assignment.wanted === 'killed' ? 'draining' : 'opening';
  return assignment.aside === true ? 'releasing' : 'preparing';
}
