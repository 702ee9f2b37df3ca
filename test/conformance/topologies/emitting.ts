// Components that emit what must be refused, and print what they were told.

import {
  Bolt,
  isMillraceError,
  topology,
  type BoltContext,
  type Emit,
  type EmitOptions,
  type Tuple,
  type Values,
} from 'millrace';
import { Sink, Source } from './parts.js';

const wrong: Readonly<Record<string, readonly [values: unknown, options: EmitOptions]>> = {
  'too few': [[1], {}],
  'too many': [[1, 2, 3], {}],
  'no list': ['ab', {}],
  'unknown stream': [[1, 2], { stream: 'nowhere' }],
  'an id': [[1, 2], { id: 1 }],
  'a function': [[1, { deep: [() => 1] }], {}],
  'a class': [[1, new Map()], {}],
  'a foreign anchor': [[1, 2], { anchor: {} as Tuple }],
};

class Emitting extends Bolt {
  static readonly outputs = ['a', 'b'] as const;
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple, emit: Emit): void | Promise<void> {
    const what = String(tuple.values[0]);
    const attempt = wrong[what];
    if (attempt !== undefined) {
      this.tell(what, () => emit(attempt[0] as Values, attempt[1] as Record<never, never>));
    } else if (what === 'late') {
      queueMicrotask(() => this.tell(what, () => emit([1, 2])));
    } else if (what === 'late promise') {
      return this.endAndEmit(what, emit);
    } else {
      emit([what, 'fine']);
    }
    return undefined;
  }

  private async endAndEmit(what: string, emit: Emit): Promise<void> {
    setImmediate(() => setImmediate(() => this.tell(what, () => emit([1, 2]))));
    await Promise.resolve();
  }

  private tell(what: string, attempt: () => void): void {
    try {
      attempt();
      void this.context.print(`${what}: taken`);
    } catch (error) {
      void this.context.print(`${what}: ${isMillraceError(error) ? error.code : 'thrown'}`);
    }
  }
}

export default topology('emitting', (t) => {
  const emitting = t.bolt('emitting', Emitting).shuffle(t.spout('source', Source));
  t.bolt('sink', Sink).shuffle(emitting);
});
