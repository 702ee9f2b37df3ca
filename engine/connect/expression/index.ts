// `millrace/connect/expression`: tuples filtered and changed by expressions. Light, any thread.

import { defineBolt, type BoltSpec, type DynamicOutputs } from '../../component/spec.js';
import { Filter, filterOutputs } from './filter.js';
import { MapFields, mapOutputs } from './map.js';

export { Filter } from './filter.js';
export { MapFields } from './map.js';

/** Settings of {@link filter}. */
export interface FilterConfig {
  /** A CEL expression that gives true or false: `count > 10 && word.startsWith("a")`. At most 4,096 characters. */
  readonly where: string;
}

/** Settings of {@link map}. */
export interface MapConfig {
  /** A CEL expression for each field to emit, in their order: `{ word: 'word.lowerAscii()', total: 'count * 2' }`. */
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * A bolt that passes on the tuples for which an expression holds, with the same fields. Type `filter`.
 *
 * ```ts
 * t.bolt('frequent', filter({ where: 'count > 10 && word.startsWith("a")' })).shuffle(counts);
 * ```
 *
 * The expression is written in CEL. Its variables are the fields of the input; a name that is no variable, or a word of
 * CEL, is reached by `tuple["user id"]`. It is checked when the topology is: an error shows the place in it. Several
 * inputs must have the same fields.
 *
 * Numbers of tuples are doubles: `count / 4` of 10 is 2.5; numbers written without a point are integers, so `7 / 2` is
 * 3, and both mix. Where a function takes an integer, write `int(count)`. Dates are timestamps, binary data is bytes,
 * what is missing is null. There are no regular expressions (`matches`), whose time has no bound.
 *
 * A tuple for which it cannot be worked out (a number compared to a text, a key that is not there) fails with
 * MILLRACE_EXPRESSION_FAILED, which shows the place. So does one for which it would take more than 5 million steps,
 * each value counting as much as it is long, or in which what an operator takes is nested deeper than 8 levels.
 *
 * @throws when the topology is checked: MILLRACE_EXPRESSION_INVALID, MILLRACE_EXPRESSION_INPUTS
 */
export function filter(config: FilterConfig): BoltSpec<Filter, DynamicOutputs> {
  return defineBolt<Filter, DynamicOutputs>({
    type: 'filter',
    outputs: filterOutputs,
    config: { ...config },
    configKeys: ['where'],
    create: (settings) => new Filter(settings),
  });
}

/**
 * A bolt that emits one tuple for each that it takes, with fields worked out by expressions. Type `map`.
 *
 * ```ts
 * t.bolt('doubled', map({ fields: { word: 'word.lowerAscii()', total: 'count * 2' } })).shuffle(counts);
 * ```
 *
 * Expressions are those of {@link filter}. Variables are the fields that all inputs have. Integers leave as numbers
 * where these are exact and as bigints beyond, durations as milliseconds.
 *
 * @throws when the topology is checked: MILLRACE_EXPRESSION_INVALID with every expression that is wrong
 */
export function map(config: MapConfig): BoltSpec<MapFields, DynamicOutputs> {
  return defineBolt<MapFields, DynamicOutputs>({
    type: 'map',
    outputs: mapOutputs,
    config: { ...config },
    configKeys: ['fields'],
    create: (settings) => new MapFields(settings),
  });
}
