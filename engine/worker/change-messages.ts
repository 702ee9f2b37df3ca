// What the supervisor tells a worker about a change of the plan, passed on to who carries it out. On the worker's
// thread.

import type { Changes } from './changes.js';
import type { ToWorker, TransitionSoFar } from './messages.js';
import type { TopologyDescription } from '../model/describe.js';
import type { TaskPlan } from '../plan/plan.js';
import { boltsOf } from './change-state.js';

type ChangeMessage = Extract<
  ToWorker,
  {
    readonly type:
      'prepareChange' | 'moveSpouts' | 'cancelChange' | 'revive' | 'change' | 'letGo' | 'openSpouts' | 'changed';
  }
>;

/** False when the message is of something else. */
export function tellChanges(changes: Changes, message: ToWorker): message is ChangeMessage {
  switch (message.type) {
    case 'prepareChange':
      void changes.prepare(message);
      return true;
    case 'moveSpouts':
      changes.moveSpouts();
      return true;
    case 'revive':
      changes.revive(message);
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

/** Bolt tasks of the old plan that still send: spouts of it are gone when tasks of the new one get anything. */
export function leavingOf(topology: TopologyDescription, { before, after, letGo }: TransitionSoFar): TaskPlan[] {
  const there = new Set([...after.tasks, ...letGo].map(({ task }) => task));
  return boltsOf(
    topology,
    before.tasks.filter(({ task }) => !there.has(task)),
  );
}
