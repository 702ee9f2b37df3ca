// Which component a worker died of. What it was in the middle of says it best, and outlives the thread (pulse.ts); for
// what runs by itself afterwards (a timer, a promise that nobody awaited) the stack may name a class that only one
// component of the worker is made of. Pure, any thread.

import type { Plan } from '../../plan/plan.js';
import type { Doing, Stage } from './pulse.js';

/** Whose code it was, as far as that can be known. */
export interface Suspect {
  readonly component: string;
  /** The number of the task, or null when only the component is known. */
  readonly task: number | null;
  /** The call of its life that it was in, or null for one that handles tuples. */
  readonly stage: Stage | null;
}

/** A component of a worker and the class that its instances are of. */
export interface ComponentCode {
  readonly component: string;
  readonly task: number;
  readonly className: string;
}

/** The task that ran, or null when none did. */
export function suspectDoing({ task, stage }: Doing, plan: Plan): Suspect | null {
  const component = plan.tasks.find((each) => each.task === task)?.component;
  return component === undefined ? null : { component, task, stage };
}

const FRAME = /^\s+at (?:async )?(?:new )?([\w$]+)(?:\.[^ ]+)? \(/;

/**
 * The component whose class the innermost frame names that names one; or the only one that the worker has.
 *
 * @param code - every task of the worker
 */
export function suspectInStack(stack: string | null, code: readonly ComponentCode[]): Suspect | null {
  for (const line of (stack ?? '').split('\n')) {
    const className = FRAME.exec(line)?.[1];
    if (className === undefined) continue;
    const found = only(code.filter((each) => each.className === className));
    if (found !== null) return found;
  }
  return only(code);
}

/** What they all are, if that is one component. */
function only(code: readonly ComponentCode[]): Suspect | null {
  const first = code[0];
  if (first === undefined || code.some(({ component }) => component !== first.component)) return null;
  return { component: first.component, task: code.length === 1 ? first.task : null, stage: null };
}

/** Where in a sentence: ` in component "count" (task 3)`, or nothing. */
export function whereOf(suspect: Suspect | null, stage: Stage | null = null): string {
  if (suspect === null) return stage === 'loading' ? ' while it loaded the module of the topology' : '';
  const task = suspect.task === null ? '' : ` (task ${suspect.task})`;
  const call = suspect.stage === null ? '' : ` ${suspect.stage} of`;
  return ` in${call} component "${suspect.component}"${task}`;
}
