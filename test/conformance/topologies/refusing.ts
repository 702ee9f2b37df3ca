// A spout that emits more than is looked at closely, and then, in one call, two tuples of which the second cannot
// travel: it waits unsent for the first one's tree, and is refused when its turn comes.

import { Spout, topology, type Emit, type SpoutContext } from 'millrace';
import { Sink } from './parts.js';

/** So many are checked at their emit. */
const CHECKED = 1000;

class Refused extends Spout {
  static readonly outputs = ['value'] as const;
  private context!: SpoutContext;
  private next = 0;

  override open(context: SpoutContext): void {
    this.context = context;
  }

  nextTuple(emit: Emit): 'done' | undefined {
    if (this.next > CHECKED) return 'done';
    emit([{ number: this.next }], { id: this.next++ });
    if (this.next <= CHECKED) return undefined;
    try {
      emit([{ number: () => 'never' }], { id: 'refused' });
    } catch {
      // There was room for it, so it was refused here.
      void this.context.print('refused at once');
    }
    emit([{ number: 'last' }], { id: 'last' });
    return 'done';
  }

  override ack(id: unknown): void {
    if (id === 'last') void this.context.print('last is acked');
  }

  override fail(id: unknown): void {
    void this.context.print(`${String(id)} failed`);
  }
}

export default topology(
  'refusing',
  (t) => {
    t.bolt('sink', Sink).shuffle(t.spout('refused', Refused));
  },
  { maxSpoutPending: 1 },
);
