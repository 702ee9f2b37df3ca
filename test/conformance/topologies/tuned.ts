// Bolts and a spout that tell which parameters they see. `hears` is told of changes, and refuses a factor that is no
// number; `slow` is asynchronous, and says what it does when it is told; `plain` only looks. Numbers below zero are
// errors of both `hears` and `plain`.

import { Bolt, Spout, topology, type BoltContext, type Emit, type ParameterValues, type Tuple } from 'millrace';

class Fed extends Spout {
  static readonly outputs = ['number'] as const;

  nextTuple(_emit: Emit<[number: number]>): undefined {
    return undefined;
  }
}

class Plain extends Bolt {
  static readonly outputs = ['number', 'factor', 'task'] as const;
  protected context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple<[number: number]>, emit: Emit<[number: number, factor: unknown, task: number]>): void {
    const [number] = tuple.values;
    if (number < 0) throw new RangeError('below zero');
    emit([number, this.context.parameters['factor'] ?? null, this.context.task]);
  }
}

class Hears extends Plain {
  static override readonly outputs = ['number', 'factor', 'task'] as const;

  override parametersChanged({ factor }: ParameterValues): void {
    if (typeof factor !== 'number') throw new Error(`a factor of ${JSON.stringify(factor)}`);
    void this.context.print(`${this.context.index} had ${JSON.stringify(this.context.parameters)}`);
  }
}

class Slow extends Bolt {
  static readonly outputs = ['number', 'before', 'after'] as const;
  private context!: BoltContext;
  private calls = 0;

  override async prepare(context: BoltContext): Promise<void> {
    this.context = context;
    await this.pause('prepareMs');
  }

  async execute(tuple: Tuple<[number: number]>, emit: Emit<[number: number, before: unknown, after: unknown]>) {
    this.calls++;
    const before = this.context.parameters['factor'];
    await this.pause('executeMs');
    emit([tuple.values[0], before ?? null, this.context.parameters['factor'] ?? null]);
    this.calls--;
  }

  override async parametersChanged({ factor }: ParameterValues): Promise<void> {
    void this.context.print(`told of ${String(factor)} beside ${this.calls} calls`);
    await this.pause('changeMs');
    void this.context.print(`took ${String(factor)} beside ${this.calls} calls`);
  }

  /** Looks at the time again and again, which is virtual, as long as the task is not closed. */
  private async pause(name: string): Promise<void> {
    const { context } = this;
    const untilMs = context.now() + Number(context.parameters[name] ?? 0);
    while (context.now() < untilMs && !context.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  }
}

export default topology('tuned', (t) => {
  const numbers = t.spout('numbers', Fed);
  const more = t.spout('more', Fed);
  t.bolt('plain', Plain, { parallelism: 2 }).all(numbers);
  t.bolt('hears', Hears, { parallelism: 2 }).all(numbers);
  t.bolt('slow', Slow, { concurrency: 2 }).shuffle(more);
});
