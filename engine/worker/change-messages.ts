// What the supervisor tells a worker about a change of the plan, passed on to who carries it out. On the worker's
// thread.

import type { Changes } from './changes.js';
import type { ToWorker, TransitionSoFar } from './messages.js';
import type { TaskPlan } from '../plan/plan.js';

type ChangeMessage = Extract<
  ToWorker,
  { readonly type: 'prepareChange' | 'cancelChange' | 'change' | 'letGo' | 'openSpouts' | 'changed' }
>;

/** False when the message is of something else. */
export function tellChanges(changes: Changes, message: ToWorker): message is ChangeMessage {
  switch (message.type) {
    case 'prepareChange':
      void changes.prepare(message);
      return true;
    case 'cancelChange':
      changes.cancel();
      return true;
    case 'change':
      changes.carryOut();
      return true;
    case 'letGo':
      changes.ownersLetGo(message.owners);
      return true;
    case 'openSpouts':
      void changes.openSpouts(message.spouts, message.checkpoints);
      return true;
    case 'changed':
      changes.finish();
      return true;
    default:
      return false;
  }
}

/** Tasks of the old plan that still send. */
export function leavingOf({ before, after, letGo }: TransitionSoFar): TaskPlan[] {
  const there = new Set([...after.tasks, ...letGo].map(({ task }) => task));
  return before.tasks.filter(({ task }) => !there.has(task));
}
