// Components that live through all calls. Preparing takes them a while, and in memory that all threads share they keep
// how many are being prepared, so that a spout can tell whether all are when it is first asked.

import { getEnvironmentData } from 'node:worker_threads';
import { Bolt, Spout, topology, type Emit, type SpoutContext, type Tuple } from 'millrace';

/** Under this name the test gives the memory: one whole number, how many tasks are prepared. */
export const PREPARED = 'living.prepared';

function prepared(): Int32Array {
  return new Int32Array(getEnvironmentData(PREPARED) as SharedArrayBuffer);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

class Living extends Spout {
  static readonly outputs = ['number', 'prepared'] as const;
  private number = 0;

  override async open(context: SpoutContext): Promise<void> {
    await turns(5 + context.index);
    Atomics.add(prepared(), 0, 1);
  }

  override activate(): void {
    return undefined;
  }

  nextTuple(emit: Emit): 'done' | undefined {
    if (this.number === 3) return 'done';
    emit([this.number, Atomics.load(prepared(), 0)], { id: this.number++ });
    return undefined;
  }

  override deactivate(): void {
    return undefined;
  }

  override async close(): Promise<void> {
    await turns(3);
  }
}

class Patient extends Bolt {
  override async prepare(): Promise<void> {
    await turns(40);
    Atomics.add(prepared(), 0, 1);
  }

  override async activate(): Promise<void> {
    await turns(2);
  }

  execute(_tuple: Tuple): void {
    return undefined;
  }

  override finish(): void {
    return undefined;
  }

  override deactivate(): void {
    return undefined;
  }

  override async close(): Promise<void> {
    await turns(3);
  }
}

export default topology('living', (t) => {
  t.bolt('patient', Patient, { parallelism: 2 }).shuffle(t.spout('living', Living, { parallelism: 2 }), {
    locality: false,
  });
});
