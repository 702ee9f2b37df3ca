// Keeps the output of concurrent asynchronous calls in the order of their inputs: the oldest call emits at once, what
// later ones emit is held until those before them have ended. A tuple is acked when its emits have left, not before.
//
//   calls  [ oldest | … | newest ]    release: while the oldest has ended it leaves, and the next lets go of its emits

import type { EmitCall, HeldEmit } from './emit-call.js';

interface Entry {
  readonly call: EmitCall;
  ended: boolean;
  /** Acks or fails the input; null when that is done. */
  settle: (() => void) | null;
}

export class CallsInOrder {
  private readonly calls: Entry[] = [];

  begin(call: EmitCall): void {
    call.held = this.calls.length === 0 ? null : [];
    this.calls.push({ call, ended: false, settle: null });
  }

  end(call: EmitCall, settle: (() => void) | null): void {
    const entry = this.calls.find((each) => each.call === call);
    if (entry === undefined) return;
    entry.ended = true;
    entry.settle = settle;
  }

  /** Lets go of all that is in turn. */
  release(send: (held: HeldEmit) => void): void {
    for (let entry = this.calls[0]; entry !== undefined; entry = this.calls[0]) {
      const { held } = entry.call;
      entry.call.held = null;
      if (held !== null) for (const each of held) send(each);
      if (!entry.ended) return;
      entry.settle?.();
      this.calls.shift();
    }
  }
}
