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
import type * as boltModule from './bolt-task.js';
import type { BoltTask } from './bolt-task.js';
import { copyOf } from './same-copy.js';
import type * as spoutModule from './spout-task.js';
import type { SpoutTask } from './spout-task.js';
import type { Task } from './task.js';

/** A component, as far as the classes of its tasks are concerned. */
interface Kind {
  readonly kind: 'bolt' | 'spout';
}

const bolts: (typeof BoltTask)[] = [];
const spouts: (typeof SpoutTask)[] = [];

/** Loads the classes of the tasks of all components of a topology. */
export async function loadTaskClasses(components: readonly Kind[]): Promise<void> {
  for (const component of components) {
    const copy = copyFor(components, component);
    const query = `?component=${copy}`;
    if (component.kind === 'bolt') bolts[copy] ??= (await copyOf<typeof boltModule>('./bolt-task.js', query)).BoltTask;
    else spouts[copy] ??= (await copyOf<typeof spoutModule>('./spout-task.js', query)).SpoutTask;
  }
}

/** The class of the tasks of that bolt; it has been loaded. */
export function boltTaskOf(components: readonly Kind[], component: Kind): typeof BoltTask {
  return bolts[copyFor(components, component)]!;
}

/** The class of the tasks of that spout; it has been loaded. */
export function spoutTaskOf(components: readonly Kind[], component: Kind): typeof SpoutTask {
  return spouts[copyFor(components, component)]!;
}

/** Many components share one copy: the processor has no room for the code of so many, and each waits for its own. */
function copyFor(components: readonly Kind[], component: Kind): number {
  return components.length > COMPONENT_COPIES_MAX ? 0 : components.indexOf(component);
}

export function isBolt(task: Task | undefined): task is BoltTask {
  return task?.kind === 'bolt';
}

export function isSpout(task: Task | undefined): task is SpoutTask {
  return task?.kind === 'spout';
}
