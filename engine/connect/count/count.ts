// The bolt `count`: how often each key came by, told with every tuple. The key is the fields of its fields grouping, so
// that all tuples of one key reach one task. Invariant: what a task emits for one key goes up by one. The counts live
// in the task's memory and start empty when it is restarted or moved, until there is keyed state. On the worker's
// thread.

import { Bolt } from '../../component/bolt.js';
import type { BoltContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import type { Tuple, Values } from '../../component/tuple.js';
import { failure } from '../../errors.js';
import { COUNT_KEYS_MAX } from '../../limits.js';
import type { InputDefinition, OutputsByStream } from '../../model/definition.js';
import { keyOf } from './key.js';

/**
 * The fields that a count with these inputs counts by: those of its fields grouping, none without one.
 *
 * @throws MILLRACE_COUNT_KEY when its inputs do not agree on them, or one of them is called `count`
 */
export function countKey(inputs: readonly InputDefinition[]): readonly string[] {
  const [first] = inputs;
  if (first === undefined) return [];
  const key = first.grouping === 'fields' ? first.fields : [];
  for (const input of inputs) {
    const fields = input.grouping === 'fields' ? input.fields : [];
    if (fields.length !== key.length || fields.some((field, at) => field !== key[at])) {
      const what = `its inputs have different keys, ${listOf(key)} of "${first.from}" and ${listOf(fields)} of "${input.from}"`;
      throw failure('MILLRACE_COUNT_KEY', { what }, { fatal: true });
    }
  }
  if (key.includes('count')) {
    throw failure(
      'MILLRACE_COUNT_KEY',
      { what: 'its key has a field "count", which is what it calls its own' },
      { fatal: true },
    );
  }
  return key;
}

/** What a count with these inputs emits: its key and `count`. */
export function countOutputs(inputs: readonly InputDefinition[]): OutputsByStream {
  return { default: [...countKey(inputs), 'count'] };
}

/** Counts tuples by key. No settings. */
export class Count extends Bolt {
  private readonly key: readonly string[];
  private readonly keysMax: number;
  private readonly counts = new Map<unknown, number>();
  private component = '';
  private fields: readonly string[] = [];
  private places: readonly number[] = [];

  /**
   * @param key - the fields to count by; none: all tuples together
   * @param keysMax - keys of one task. Default 10 million.
   */
  constructor(key: readonly string[], keysMax = COUNT_KEYS_MAX) {
    super();
    this.key = key;
    this.keysMax = keysMax;
  }

  override prepare(context: BoltContext): void {
    this.component = context.component;
  }

  override execute(tuple: Tuple, emit: Emit): void {
    if (tuple.fields !== this.fields) this.findPlaces(tuple.fields);
    const { values } = tuple;
    const key = this.places.length === 0 ? null : keyOf(values, this.places);
    const before = this.counts.get(key);
    if (before === undefined && this.counts.size >= this.keysMax) throw this.tooManyKeys();
    const count = (before ?? 0) + 1;
    this.counts.set(key, count);
    emit(this.output(values, count));
  }

  private output(values: Values, count: number): Values {
    const output: unknown[] = [];
    for (const place of this.places) output.push(values[place]);
    output.push(count);
    return output;
  }

  private findPlaces(fields: readonly string[]): void {
    this.fields = fields;
    this.places = this.key.map((field) => {
      const place = fields.indexOf(field);
      if (place === -1)
        throw new TypeError(`"${this.component}" counts by field "${field}", which this stream does not have`);
      return place;
    });
  }

  private tooManyKeys(): Error {
    return failure('MILLRACE_COUNT_KEYS', { component: this.component, keysMax: this.keysMax }, { fatal: true });
  }
}

function listOf(fields: readonly string[]): string {
  return fields.length === 0 ? 'none' : fields.map((field) => `"${field}"`).join(', ');
}
