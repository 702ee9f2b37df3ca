// Numbers that go round until they are 0: through two bolts, the second of which leads them back by key, and through
// one bolt that takes from itself. Beside them a cycle that nobody needs to track: what it has no room for is dropped.
//
//   source ─► enter ─► step ─ done ─► out        source ─► alone ─ done ─► out        loose ─► first ─► second
//               ▲ feedback │                                ▲ │ feedback                         ▲ feedback │
//               └──────────┘                                └─┘                                  └──────────┘

import { Bolt, topology, type BoltContext, type Emit, type Tuple, type Values } from 'millrace';
import { Command, Fed, Opener, passed, Sink } from './parts.js';

class Numbers extends Fed {
  static readonly outputs = ['name', 'left'] as const;
}

class Loose extends Fed {
  static readonly outputs = ['left', 'gate'] as const;
}

type Row = [name: string, left: number];

/** Sends on what it takes; in the end one number more, which has to go round as all others. */
class Enter extends Bolt {
  static readonly outputs = ['name', 'left'] as const;
  private context!: BoltContext;
  private finished = false;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple<Row>, emit: Emit<Row>): void {
    const [name] = tuple.values;
    if (this.finished && !name.startsWith('last')) throw new Error('a number came after the end');
    emit(tuple.values);
  }

  override finish(emit: Emit<Row>): void {
    this.finished = true;
    emit([`last of ${this.context.index}`, 5]);
  }
}

/** Leads a number back until it is 0, more of them than there were when it is told to. */
class Step extends Bolt {
  static readonly outputs = { back: ['name', 'left'], done: ['name', 'left'] } as const;
  private context!: BoltContext;
  private steps = 0;
  private finished = false;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple<Row>, emit: Emit<Values, { back: Row; done: Row }>): void {
    const [name, left] = tuple.values;
    if (this.finished) throw new Error('a number came after the end');
    this.steps++;
    const copies = left > 0 && name.startsWith('many') ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (left > 0) emit([name, left - 1], { stream: 'back' });
      else emit([name, left], { stream: 'done' });
    }
  }

  override async finish(): Promise<void> {
    this.finished = true;
    await this.context.print(`steps ${this.steps}`);
  }
}

class Alone extends Bolt {
  static readonly outputs = { default: ['name', 'left'], done: ['name', 'left'] } as const;

  execute(tuple: Tuple<Row>, emit: Emit<Row, { done: Row }>): void {
    const [name, left] = tuple.values;
    if (left > 0) emit([name, left - 1]);
    else emit([name, left], { stream: 'done' });
  }
}

/** Doubles what it takes. */
class First extends Bolt {
  static readonly outputs = ['left', 'gate'] as const;

  async execute(tuple: Tuple<[left: number, gate: string]>, emit: Emit<[left: number, gate: string]>): Promise<void> {
    const [left, gate] = tuple.values;
    emit([left, gate]);
    if (gate !== '') await passed(gate);
  }
}

class Second extends Bolt {
  static readonly outputs = ['left', 'gate'] as const;

  execute(tuple: Tuple<[left: number, gate: string]>, emit: Emit<[left: number, gate: string]>): void {
    const [left, gate] = tuple.values;
    if (left > 0) for (const _copy of [1, 2]) emit([left - 1, gate]);
  }
}

export default topology('cycling', (t) => {
  const command = t.spout('command', Command);
  t.bolt('opener', Opener, { parallelism: 2 }).all(command);
  const source = t.spout('source', Numbers, { parallelism: 2 });
  const enter = t.bolt('enter', Enter, { parallelism: 2 }).shuffle(source, { locality: false });
  const step = t.bolt('step', Step, { parallelism: 3 }).fields(enter, 'name', 'left');
  enter.fields(step.stream('back').feedback(), 'name');
  const alone = t.bolt('alone', Alone, { parallelism: 2 }).shuffle(source, { locality: false });
  alone.shuffle(alone.feedback(), { locality: false });
  t.bolt('out', Sink, { parallelism: 2 }).fields(step.stream('done'), 'name').fields(alone.stream('done'), 'name');
  const loose = t.spout('loose', Loose);
  const first = t.bolt('first', First).shuffle(loose);
  const second = t.bolt('second', Second, { parallelism: 2 }).shuffle(first, { locality: false });
  first.shuffle(second.feedback({ overflow: 'drop' }));
  t.bolt('beside', Sink).shuffle(second);
});
