// A tree with three branches whose leaves are held until a command acks or fails them.

import { Bolt, topology, Spout, type BoltContext, type Emit, type Tuple } from 'millrace';

class Fed extends Spout {
  nextTuple(_emit: Emit): 'done' {
    return 'done';
  }
}

class Source extends Fed {
  static readonly outputs = ['value'] as const;
}

class Command extends Fed {
  static readonly outputs = ['verb', 'key'] as const;
}

class Branch extends Bolt {
  static readonly outputs = ['value'] as const;

  execute(tuple: Tuple, emit: Emit): void {
    for (const branch of ['a', 'b', 'c']) emit([`${String(tuple.values[0])}/${branch}`]);
  }
}

export class Holder extends Bolt {
  static readonly options = { manualAck: true } as const;
  private readonly held = new Map<unknown, Tuple>();
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    if (tuple.component !== 'command') {
      this.held.set(tuple.values[0], tuple);
      return;
    }
    const [verb, key] = tuple.values;
    const held = this.held.get(key);
    if (held !== undefined && verb === 'ack') this.context.ack(held);
    if (held !== undefined && verb === 'fail') this.context.fail(held, 'told to');
    if (held !== undefined && verb === 'touch') this.context.resetTimeout(held);
    this.context.ack(tuple);
  }
}

export default topology(
  'holding',
  (t) => {
    const source = t.spout('source', Source);
    const command = t.spout('command', Command);
    const branch = t.bolt('branch', Branch).shuffle(source);
    t.bolt('holder', Holder).shuffle(branch).all(command);
  },
  { messageTimeout: '10s' },
);
