// One stream of two senders, one on each worker where there are two, dealt by the groupings that look at loads, places
// or the user's code; and a direct stream.

import {
  Bolt,
  isMillraceError,
  topology,
  type BoltContext,
  type Chosen,
  type CustomGrouping,
  type Emit,
  type Tuple,
} from 'millrace';
import { Command, Fed, Opener, passed, Sink } from './parts.js';

class Source extends Fed {
  static readonly outputs = ['key', 'number'] as const;
}

class Loaded extends Fed {
  static readonly outputs = ['number', 'gate', 'waiting'] as const;
}

class Choices extends Fed {
  static readonly outputs = ['choice'] as const;
}

class Orders extends Fed {
  static readonly outputs = ['index', 'what'] as const;
}

/** Tasks whose index the tuple names wait at its gate. */
class Slow extends Bolt {
  private index = 0;

  override prepare(context: BoltContext): void {
    this.index = context.index;
  }

  execute(tuple: Tuple): void | Promise<void> {
    const [, gate, waiting] = tuple.values as [number: number, gate: string, waiting: readonly number[]];
    return waiting.includes(this.index) ? passed(gate) : undefined;
  }
}

/** Chooses what the tuple says. */
function asTold([choice]: readonly unknown[]): Chosen {
  if (choice === 'throw') throw new RangeError('told to throw');
  return choice as Chosen;
}

/** Chooses one task after the other, and says the same list again and again. */
class OneByOne implements CustomGrouping {
  private readonly answer: number[] = [];
  private next = 0;

  choose(_values: readonly unknown[], targets: readonly number[]): Chosen {
    this.answer[0] = this.next++ % targets.length;
    return this.answer;
  }
}

/** Sends orders to the tasks that they name, and says what it was told when that cannot be. */
class Router extends Bolt {
  static readonly outputs = { orders: { direct: ['what'] }, default: ['what'] } as const;
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple, emit: Emit<[what: unknown], { orders: [what: unknown] }>): void {
    const [index, what] = tuple.values as [index: number, what: string];
    try {
      if (what === 'plain') emit([what], { stream: 'orders' });
      else if (what === 'not direct') emit.direct(this.taskOf('receiver', index), [what]);
      else if (what === 'no stream') emit.direct(0, [what], { stream: 'nowhere' as 'orders' });
      else if (what === 'of another') emit.direct(this.taskOf('bystander', 0), [what], { stream: 'orders' });
      else if (what === 'no component') this.context.tasksOf('nobody');
      else if (what === 'no task') emit.direct(1.5, [what], { stream: 'orders' });
      else if (what === 'too many')
        emit.direct(this.taskOf('receiver', index), [what, what] as never, { stream: 'orders' });
      else emit.direct(this.taskOf('receiver', index), [what], { stream: 'orders' });
    } catch (error) {
      void this.context.print(`${what}: ${isMillraceError(error) ? error.code : String(error)}`);
      if (what !== 'plain') return;
      throw error;
    }
  }

  private taskOf(component: string, index: number): number {
    return this.context.tasksOf(component)[index]!;
  }
}

export default topology('dealing', (t) => {
  const command = t.spout('command', Command);
  t.bolt('opener', Opener, { parallelism: 2 }).all(command);
  const source = t.spout('source', Source, { parallelism: 2 });
  t.bolt('six', Sink, { parallelism: 6 }).shuffle(source);
  t.bolt('partly', Sink, { parallelism: 6 }).partialKey(source, 'key');
  t.bolt('none', Sink, { parallelism: 4 }).none(source, { locality: false });
  t.bolt('near', Sink, { parallelism: 4 }).localOrShuffle(source);
  t.bolt('slow', Slow, { parallelism: 4 }).shuffle(t.spout('loaded', Loaded));
  const choices = t.spout('choices', Choices, { parallelism: 2 });
  t.bolt('chosen', Sink, { parallelism: 3 }).custom(choices, asTold);
  t.bolt('in-turn', Sink, { parallelism: 3 }).custom(choices, OneByOne);
  t.bolt('only', Sink).custom(choices, ([choice]) => (choice === null ? null : 0));
  const router = t.bolt('router', Router).shuffle(t.spout('orders', Orders));
  t.bolt('receiver', Sink, { parallelism: 4 }).direct(router.stream('orders'));
  t.bolt('bystander', Sink).shuffle(router);
});
