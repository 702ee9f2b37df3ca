// A topology that has nothing to do: its spout is asked again and again and has nothing, the bolts wait.

import { Bolt, Spout, topology, type Emit } from 'millrace';

class Nothing extends Spout {
  static readonly outputs = ['nothing'] as const;

  nextTuple(_emit: Emit): void {
    // Nothing ever comes.
  }
}

class Waiting extends Bolt {
  execute(): void {
    // Nothing ever comes.
  }
}

export default topology('idle', (t) => {
  const nothing = t.spout('nothing', Nothing);
  t.bolt('waiting', Waiting, { parallelism: 4 }).shuffle(nothing);
});
