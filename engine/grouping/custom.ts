// Has a user's code choose the tasks, and checks what it chose: an index that does not exist must not become a tuple
// that is lost, nor a crash behind the emitter. What was chosen is copied, because the code may use its list again
// while the tuples are delivered.

import type { CustomGrouping } from '../component/custom-grouping.js';
import type { Values } from '../component/tuple.js';
import { failure, reasonOf } from '../errors.js';
import { shown } from '../model/names.js';
import { CHOSEN, NOBODY, type Grouping } from './grouping.js';

/** The subscription that is dealt, for errors. */
export interface CustomPlace {
  /** The component that emits. */
  readonly source: string;
  readonly subscriber: string;
  /** What the grouping is called. */
  readonly name: string;
}

export class CustomDealing implements Grouping {
  readonly chosen: number[] = [];
  private readonly grouping: CustomGrouping;
  private readonly tasks: readonly number[];
  private readonly place: CustomPlace;
  /** When a target was chosen last, counted in tuples: each at most once a tuple. */
  private readonly chosenAt: Float64Array;
  private tuples = 0;

  /** @param tasks - the numbers of the subscriber's tasks, in order */
  constructor(grouping: CustomGrouping, tasks: readonly number[], place: CustomPlace) {
    this.grouping = grouping;
    this.tasks = Object.freeze([...tasks]);
    this.place = place;
    this.chosenAt = new Float64Array(tasks.length);
  }

  /** @throws MILLRACE_EMIT_GROUPING */
  select(values: Values): number {
    let answer: unknown;
    try {
      answer = this.grouping.choose(values, this.tasks);
    } catch (error) {
      throw this.error(`threw: ${reasonOf(error)}`, error);
    }
    if (answer === undefined || answer === null) return NOBODY;
    if (typeof answer === 'number') return this.checked(answer);
    if (!Array.isArray(answer)) throw this.error(`answered ${shown(answer)}`);
    const { chosen, chosenAt } = this;
    const tuple = ++this.tuples;
    chosen.length = 0;
    for (const each of answer as readonly unknown[]) {
      const index = this.checked(each);
      if (chosenAt[index] === tuple) throw this.error(`chose ${index} twice`);
      chosenAt[index] = tuple;
      chosen.push(index);
    }
    return CHOSEN;
  }

  private checked(index: unknown): number {
    if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < this.tasks.length)
      return index as number;
    throw this.error(`chose ${shown(index)}`);
  }

  private error(what: string, cause?: unknown): Error {
    const { source, subscriber, name } = this.place;
    const details = { component: source, subscriber, name: name === '' ? 'without a name' : `"${name}"`, what };
    return failure('MILLRACE_EMIT_GROUPING', { ...details, last: this.tasks.length - 1 }, { cause });
  }
}
