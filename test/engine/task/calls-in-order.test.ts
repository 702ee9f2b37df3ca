// Concurrent calls whose output leaves in the order of their inputs.

import fc from 'fast-check';
import t from 'tap';
import { CallsInOrder } from '../../../engine/task/calls-in-order.js';
import { EmitCall, type Emitter, type HeldEmit } from '../../../engine/task/emit-call.js';
import type { Output } from '../../../engine/task/output.js';

const output = {} as Output;

/** A task that sends at once, or keeps what is not in turn. */
class Emitting implements Emitter {
  readonly sent: unknown[] = [];

  emit(call: EmitCall, values: readonly unknown[]): void {
    if (call.held !== null) call.held.push({ output, values, root: null, acc: call });
    else this.sent.push(values[0]);
  }

  signalled(): void {}

  emitDirect(call: EmitCall, _task: number, values: readonly unknown[]): void {
    this.emit(call, values);
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  readonly send = ({ values }: HeldEmit): void => {
    this.sent.push(values[0]);
  };
}

t.test('C116 what leaves, and what is settled, is in the order of the inputs, whenever calls end', async (t) => {
  const step = fc.record({ kind: fc.constantFrom('begin', 'emit', 'emit', 'end'), which: fc.nat() });
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const task = new Emitting();
    const order = new CallsInOrder();
    const running: { readonly input: number; readonly call: EmitCall; emits: number }[] = [];
    const wanted: string[][] = [];
    const end = (which: number): void => {
      const [each] = running.splice(which, 1);
      wanted[each!.input]!.push(`settled ${each!.input}`);
      order.end(each!.call, () => task.sent.push(`settled ${each!.input}`));
      order.release(task.send);
    };
    for (const { kind, which } of steps) {
      if (kind === 'begin') {
        const call = new EmitCall(task);
        order.begin(call);
        running.push({ input: wanted.length, call, emits: 0 });
        wanted.push([]);
      } else if (running.length > 0) {
        const each = running[which % running.length]!;
        if (kind === 'end') end(which % running.length);
        else {
          const text = `${each.input}/${each.emits++}`;
          wanted[each.input]!.push(text);
          each.call.emit([text]);
        }
      }
      const all = wanted.flat();
      if (task.sent.join() !== all.slice(0, task.sent.length).join()) return false;
      // The oldest call emits at once: all that it has is out.
      const oldest = Math.min(...running.map(({ input }) => input), wanted.length - 1);
      if (task.sent.length < wanted.slice(0, oldest + 1).flat().length) return false;
    }
    while (running.length > 0) end(0);
    return task.sent.join() === wanted.flat().join();
  });
  fc.assert(property, { numRuns: 500 });
  t.pass('500 runs');
});

t.test('a call that ended without an input to settle lets the next one go', async (t) => {
  const task = new Emitting();
  const order = new CallsInOrder();
  const [tick, next] = [new EmitCall(task), new EmitCall(task)];
  order.begin(tick);
  order.begin(next);
  next.emit(['later']);
  tick.emit(['at once']);
  order.end(tick, null);
  order.release(task.send);
  t.strictSame(task.sent, ['at once', 'later']);
  next.emit(['now the oldest']);
  t.strictSame(task.sent, ['at once', 'later', 'now the oldest']);
  order.end(new EmitCall(task), null);
  order.release(task.send);
  t.equal(next.held, null, 'a call that never began changes nothing');
});
