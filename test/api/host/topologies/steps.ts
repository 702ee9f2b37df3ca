// Counts up one step at a time, keeps its progress, and says where it began; `end` ends it.

import { Spout, topology, type Emit, type SpoutContext } from 'millrace';
import { log } from 'millrace/connect/log';

class Steps extends Spout {
  static readonly outputs = ['step'] as const;
  private context!: SpoutContext;
  private readonly end: number;
  private next = 0;

  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    this.end = typeof config['end'] === 'number' ? config['end'] : Infinity;
  }

  override async open(context: SpoutContext): Promise<void> {
    this.context = context;
    this.next = Number(context.restored('steps') ?? 0);
    await context.print(`begins at ${this.next}`);
  }

  nextTuple(emit: Emit): 'done' | undefined {
    if (this.next >= this.end) return 'done';
    emit([this.next], { id: this.next++ });
    return undefined;
  }

  override ack(id: unknown): void {
    this.context.checkpoint('steps', Number(id) + 1);
  }
}

const steps = topology(
  'steps',
  (t) => {
    const spout = t.spout('steps', Steps, { config: { end: Infinity } });
    t.bolt('log', log()).shuffle(spout);
  },
  { maxSpoutPending: 1 },
);

export default steps;
