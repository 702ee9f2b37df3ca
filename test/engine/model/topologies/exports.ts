// An artifact as a bundle would be: its exports are types for JSON topologies.

import {
  Bolt,
  defineBolt,
  defineSpout,
  Spout,
  topology,
  type BoltContext,
  type Chosen,
  type CustomGrouping,
  type Emit,
  type Tuple,
} from 'millrace';

export class Evens extends Spout {
  static readonly outputs = ['n'] as const;
  private readonly count: number;
  private next = 0;

  constructor(config: { readonly count: number }) {
    super();
    this.count = config.count;
  }

  nextTuple(emit: Emit): 'done' | undefined {
    if (this.next >= this.count) return 'done';
    emit([2 * this.next++]);
    return undefined;
  }
}

export class Show extends Bolt {
  static readonly options = { parallelism: 2, tickEvery: '5s', concurrency: 3 } as const;
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple): Promise<void> {
    return this.context.print(`${String(this.context.config['prefix'])}${String(tuple.values[0])}`);
  }
}

/** Hides the built-in type of that name. */
export function count(tuple: Tuple, emit: Emit): void {
  emit([Number(tuple.values[0]) + 1]);
}
count.outputs = ['more'];

export function* odds(): Generator<[number]> {
  yield [1];
  yield [3];
}
odds.outputs = ['n'];

export const made = defineSpout({
  type: 'made-up',
  outputs: (_inputs, config) => ({ default: [String(config['field'])] }),
  config: { field: 'f' },
  create: () => new Evens({ count: 1 }),
});

export const drop = defineBolt({ type: 'drop', create: () => new Show() });

/** None of these is a type. */
export class Helper {
  help(): string {
    return 'no component';
  }
}
export const LIMIT = 5;
export default topology('unused', (t) => void t.spout('evens', Evens, { config: { count: 1 } }));

/** A grouping: numbers by what is left when they are divided. */
export class ByRest implements CustomGrouping<readonly [number]> {
  choose([number]: readonly [number], targets: readonly number[]): Chosen {
    return number % targets.length;
  }
}
