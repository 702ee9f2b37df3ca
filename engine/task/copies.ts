// The classes of tasks, in a copy of their own for each component. V8 keeps what it learns about a function, and what
// it inlines into it, with the function: code that all components share calls ever more kinds of `execute`, and is
// compiled for all of them, in an order that differs from run to run. A copy sees one component and what that sends to,
// so it is compiled for exactly that. Copies are modules of the same file with another query; what is not on the way of
// each tuple is shared by all of them.
//
//   bolt-task.js?component=2 ─► handing-task.js?component=2 ─► … ─► dealer.js?component=2, emit-call.js?component=2
//                          └──► mailbox.js, task-tuple.js, …        shared
//
// So no class of a task is told by `instanceof`, but by `kind` (`isBolt`, `isSpout`).

import { COMPONENT_COPIES_MAX } from '../limits.js';
import type * as bolts from './bolt-task.js';
import type { BoltTask } from './bolt-task.js';
import { copyOf } from './same-copy.js';
import type * as spouts from './spout-task.js';
import type { SpoutTask } from './spout-task.js';
import type { Task } from './task.js';

/** The classes of the tasks of a component. */
export interface TaskClasses {
  readonly BoltTask: typeof BoltTask;
  readonly SpoutTask: typeof SpoutTask;
}

const loaded: TaskClasses[] = [];

/** Loads the classes for that many components. */
export async function loadTaskClasses(components: number): Promise<void> {
  const copies = Math.min(components, COMPONENT_COPIES_MAX);
  while (loaded.length < copies) {
    const query = `?component=${loaded.length}`;
    const { BoltTask } = await copyOf<typeof bolts>('./bolt-task.js', query);
    const { SpoutTask } = await copyOf<typeof spouts>('./spout-task.js', query);
    loaded.push({ BoltTask, SpoutTask });
  }
}

/** The classes for the component with that number; they have been loaded. */
export function taskClassesOf(component: number): TaskClasses {
  return loaded[component % COMPONENT_COPIES_MAX]!;
}

export function isBolt(task: Task | undefined): task is BoltTask {
  return task?.kind === 'bolt';
}

export function isSpout(task: Task | undefined): task is SpoutTask {
  return task?.kind === 'spout';
}
