// A bolt that is one function, as the engine runs it: one more call a tuple and nothing else, neither a closure nor a
// promise of its own, so that a synchronous function stays synchronous. All its tasks in a thread share the function,
// and with it whatever the function closes over. Runs in the thread of its task.

import type { BoltFunction } from './bolt.js';
import { Bolt } from './bolt.js';
import type { Emit } from './emit.js';
import type { Tuple } from './tuple.js';

export class FunctionBolt extends Bolt {
  private readonly handle: BoltFunction;

  constructor(handle: BoltFunction) {
    super();
    this.handle = handle;
  }

  execute(tuple: Tuple, emit: Emit): void | Promise<void> {
    return this.handle(tuple, emit);
  }
}
