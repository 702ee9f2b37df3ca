// A finite chain whose ends can be held: "late" of a restarted worker waits at a gate before its last value, "flush" at
// another one in the middle of its end. What "total" took by its own end is printed.
//
//   on two workers:   numbers, flush, total: the first        late, command: the second

import { Bolt, Spout, topology, type BoltContext, type Emit, type Tuple } from 'millrace';
import { Command, Opener, passed } from './parts.js';

class Numbers extends Spout {
  static readonly outputs = ['value'] as const;
  private number = 0;

  nextTuple(emit: Emit): 'done' | undefined {
    emit([this.number], { id: this.number++ });
    return this.number === 10 ? 'done' : undefined;
  }
}

class Relay extends Bolt {
  static readonly outputs = ['value'] as const;
  protected context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple, emit: Emit): void {
    emit(tuple.values);
  }

  protected gate(): Promise<void> {
    return passed(`${String(this.context.config['gate'])} ${this.context.component}`);
  }
}

class Late extends Relay {
  override async finish(emit: Emit): Promise<void> {
    if (this.context.incarnation > 0) await this.gate();
    emit([`the end of incarnation ${this.context.incarnation}`]);
  }
}

class Flush extends Relay {
  override async finish(_emit: Emit): Promise<void> {
    await this.gate();
  }
}

class Total extends Bolt {
  private readonly ends: unknown[] = [];
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): void {
    if (typeof tuple.values[0] === 'string') this.ends.push(tuple.values[0]);
  }

  override finish(): void {
    void this.context.print(`total: ${this.ends.join(', ')}`);
  }
}

export default topology('reopening', (t) => {
  const numbers = t.spout('numbers', Numbers);
  const late = t.bolt('late', Late, { config: { gate: '' } }).shuffle(numbers);
  const flush = t.bolt('flush', Flush, { config: { gate: '' } }).shuffle(late);
  const command = t.spout('command', Command);
  t.bolt('total', Total).shuffle(flush);
  t.bolt('opener', Opener, { parallelism: 2 }).all(command);
});
