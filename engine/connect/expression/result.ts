// What an expression gave, as a value of a tuple: integers as numbers where these are exact, else as bigints; durations
// as milliseconds. What no tuple can hold (a type, a function) is refused. Invariant: nothing of what came in with a
// tuple is changed, only copied where something inside has to change. Any thread.

import { VALUE_DEPTH_MAX } from '../../limits.js';

/** Types that an expression may be known to have and that no tuple holds. */
export const NO_VALUES: ReadonlySet<string> = new Set(['type', 'CelNamespace']);

/**
 * That value of CEL as plain data.
 *
 * @throws TypeError when there is none for it
 */
export function resultValue(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
      return exact(value);
    case 'object':
      return value === null ? null : resultObject(value, depth);
    default:
      throw new TypeError(`it gives a ${typeof value}, which no tuple can hold`);
  }
}

function resultObject(value: object, depth: number): unknown {
  if (depth > VALUE_DEPTH_MAX) throw new TypeError(`it gives more than ${VALUE_DEPTH_MAX} lists inside one another`);
  if (value instanceof Date || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value;
  if (Array.isArray(value)) return changedList(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return changedMap(value, depth);
  // Unsigned integers are their bigint, durations their milliseconds.
  const primitive: unknown = value.valueOf();
  if (typeof primitive === 'bigint') return exact(primitive);
  if (typeof primitive === 'number') return primitive;
  throw new TypeError(`it gives ${kindOf(value)}, which no tuple can hold`);
}

function changedList(list: readonly unknown[], depth: number): readonly unknown[] {
  let changed: unknown[] | null = null;
  for (let at = 0; at < list.length; at++) {
    const before = list[at];
    const after = resultValue(before, depth + 1);
    if (!Object.is(after, before) && changed === null) changed = list.slice();
    if (changed !== null) changed[at] = after;
  }
  return changed ?? list;
}

function changedMap(map: object, depth: number): object {
  const entries = Object.entries(map);
  // An object without a prototype is one that was made here.
  let changed = Object.getPrototypeOf(map) === null;
  for (const entry of entries) {
    const after = resultValue(entry[1], depth + 1);
    if (Object.is(after, entry[1])) continue;
    entry[1] = after;
    changed = true;
  }
  return changed ? Object.fromEntries(entries) : map;
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function kindOf(value: object): string {
  const name = value.constructor.name;
  return name === 'Type' ? 'a type' : `a ${name}`;
}
