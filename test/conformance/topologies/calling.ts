// Asynchronous bolts whose calls have a time: what they wait for is a gate, or something that a signal ends, like a
// request.

import { Bolt, isMillraceError, topology, type BoltContext, type Emit, type Tuple } from 'millrace';
import { Command, Fed, Opener, passed, Sink } from './parts.js';

class Source extends Fed {
  static readonly outputs = ['gate', 'how'] as const;
}

/** Resolves never; rejects with the reason of the signal, as `fetch` does. */
function request(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function codeOf(error: unknown): string {
  return isMillraceError(error) ? error.code : String(error);
}

class Calling extends Bolt {
  static readonly outputs = ['gate', 'when'] as const;
  protected context!: BoltContext;
  /** The signal of a synchronous call, which no later call may abort. */
  private kept: AbortSignal | null = null;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple, emit: Emit): void | Promise<void> {
    const [gate, how] = tuple.values as readonly [string, string];
    if (how === 'keep') {
      this.kept = emit.signal;
      return;
    }
    if (how === 'throw') {
      const { signal } = emit;
      throw new Error(signal.aborted ? 'aborted' : 'thrown');
    }
    if (how === 'kept') {
      emit([gate, this.kept?.aborted === true ? 'aborted' : 'not aborted']);
      return;
    }
    return how === 'request' ? this.request(gate, emit) : this.wait(gate, emit);
  }

  private async wait(gate: string, emit: Emit): Promise<void> {
    emit([gate, 'before']);
    await passed(gate);
    try {
      emit([gate, 'after']);
    } catch (error) {
      await this.context.print(`${gate}: ${codeOf(error)}`);
    }
  }

  private async request(gate: string, emit: Emit): Promise<void> {
    const { signal } = emit;
    try {
      await request(signal);
    } catch (error) {
      await this.context.print(`${gate}: ${codeOf(error)}`);
      throw error;
    }
  }
}

/** Acks before it waits. */
class Hasty extends Calling {
  override async execute(tuple: Tuple, emit: Emit): Promise<void> {
    if (tuple.values[1] === 'acked') this.context.ack(tuple);
    await passed(String(tuple.values[0]));
    emit([tuple.values[0], 'after'], { anchor: null });
  }
}

/** Its tick waits for something that never comes. */
class Ticking extends Calling {
  static readonly options = { tickEvery: '20s', callTimeout: '5s' } as const;

  override tick(emit: Emit): Promise<void> {
    return request(emit.signal);
  }
}

/** Emits much more than may wait for its turn, and waits for it. */
class Talkative extends Bolt {
  static readonly outputs = ['gate', 'when'] as const;

  async execute(tuple: Tuple, emit: Emit): Promise<void> {
    const [gate] = tuple.values as readonly [string];
    if (gate.endsWith('first')) await passed(gate);
    for (let n = 0; n < 50; n++) {
      emit([gate, n]);
      if (n % 3 === 2) await emit.ready();
    }
  }
}

export default topology(
  'calling',
  (t) => {
    const command = t.spout('command', Command);
    const add = (id: string, component: typeof Calling | typeof Talkative, options = {}): void => {
      const source = t.spout(`${id}-source`, Source);
      const bolt = t.bolt(id, component as typeof Calling, options).shuffle(source);
      t.bolt(`${id}-sink`, Sink).shuffle(bolt);
    };
    add('two', Calling, { concurrency: 2, callTimeout: '5s' });
    add('ordered', Calling, { concurrency: 3, ordered: true, callTimeout: 5000 });
    add('patient', Calling, { concurrency: 10 });
    add('hasty', Hasty, { manualAck: true, callTimeout: '5s', concurrency: 3 });
    add('ticking', Ticking);
    add('talkative', Talkative, { concurrency: 3, ordered: true });
    t.bolt('opener', Opener, { parallelism: 2 }).all(command);
  },
  { messageTimeout: '60s' },
);
