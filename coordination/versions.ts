// Versions of a topology: the one that runs, and the one that is to replace it. Both stand in one node, as a wish and
// as an assignment, so nobody ever sees the one without what was decided about the other. Pure.
//
//   wish        {id: 1, next: {id: 2}}                                    ─► {id: 2}, or {id: 1, refused: 2}
//   assignment  {id: 1} ─► next standby ─► aside ─► next open ─► killed ─► {id: 2}
//                               └─────────────┴─────────┴─ goes wrong ─► {id: 1}, as before

import type { Assignment, RunStage, Submitted, Wish, WorkerPlace } from './topology-records.js';

/** One version of a topology, as hosts carry it out. */
export interface Version extends Omit<Assignment, 'next' | 'aside'> {
  readonly stateId: string;
  /** How far it is to come where one version replaces another; null: it is to run as any does. */
  readonly stage: RunStage | null;
}

/** A wish for what is to replace another version. */
export type ReplacingWish = Wish & Required<Pick<Wish, 'next'>>;

/** Where both versions are. */
export type ReplacingAssignment = Assignment & Required<Pick<Assignment, 'next'>>;

/** Under which id progress and parameters of a topology are kept. */
export function stateIdOf({ id, stateId }: { readonly id: string; readonly stateId?: string }): string {
  return stateId ?? id;
}

/** What is to be run of a topology. */
export function versionsOf({ next, aside, ...own }: Assignment): readonly Version[] {
  const stateId = stateIdOf(own);
  const present: Version = { ...own, stateId, stage: aside === true ? 'aside' : null };
  const { name, epoch } = own;
  if (next === undefined || next.stage === 'closing') return [present];
  return [present, { ...next, stage: next.stage, name, epoch, kill: null, stateId }];
}

/** The slots that it has. */
export function placesOf({ places, next }: Pick<Assignment, 'places' | 'next'>): readonly WorkerPlace[] {
  return next === undefined ? places : [...places, ...next.places];
}

/** What is submitted of a topology and has not ended. */
export function submittedOf(wish: Wish): readonly Submitted[] {
  return wish.next === undefined ? [wish] : [wish, wish.next];
}

export function isReplacing(wish: Wish): wish is ReplacingWish {
  return wish.next !== undefined;
}

/** What is wished when the next version has taken the place of the one before. */
export function wishOfNext(wish: ReplacingWish): Wish {
  const { name, wanted, kill, next } = wish;
  return { ...next, name, wanted, kill, stateId: stateIdOf(wish) };
}

/** Where it runs then. */
export function assignmentOfNext(assignment: ReplacingAssignment): Assignment {
  const { name, epoch } = assignment;
  const { stage: _, ...next } = assignment.next;
  return { ...next, name, epoch, kill: null, stateId: stateIdOf(assignment) };
}

/** The wish without what was to replace it, which was refused, or is not wished any more. */
export function withoutNext({ next: _, ...wish }: Wish): Wish {
  return wish;
}

/** The assignment without what was to replace it: what ran before is to go on. */
export function alone({ next: _next, aside: _aside, ...assignment }: Assignment): Assignment {
  return assignment;
}
