// What may travel in a tuple, and about how many bytes it takes. Values are plain data: null, undefined, booleans,
// numbers, bigints, strings, dates, binary data, arrays and plain objects of them, and instances of registered classes.
// Runs at each emit that leaves the thread, and for the first tuples of each stream, so it walks once and allocates
// only when it refuses.

import { extensionOf } from '../component/extension.js';
import * as limits from '../limits.js';
import type { Values } from '../component/tuple.js';

// Constants of this module are folded into what V8 compiles; imported ones are loaded and checked for each value.
const { TUPLE_BYTES_MAX, VALUE_DEPTH_MAX } = limits;

/** Why a value cannot travel, and where in the tuple it is. */
export class ValueRefused extends Error {
  readonly path: string;
  readonly what: string;

  constructor(path: string, what: string) {
    super(`${path}: ${what}`);
    this.path = path;
    this.what = what;
  }
}

const SMALL_BYTES = 9;

/** Whether it is a list of that many numbers, booleans and texts of a size that may travel: what most tuples are. */
export function areScalars(values: Values, arity: number): boolean {
  if (!Array.isArray(values) || values.length !== arity) return false;
  for (let i = 0; i < arity; i++) {
    const value: unknown = values[i];
    if (typeof value === 'string') {
      if (value.length > TUPLE_BYTES_MAX) return false;
    } else if (typeof value !== 'number' && typeof value !== 'boolean') {
      return false;
    }
  }
  return true;
}

/**
 * The estimated packed size of a list of values, in bytes; text counts one byte a UTF-16 code unit.
 *
 * @throws {@link ValueRefused} for what cannot travel
 */
export function measureValues(values: Values): number {
  let bytes = 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'string') bytes += measureText(value, i, null);
    else if (typeof value === 'number') bytes += SMALL_BYTES;
    else bytes += measure(value, 0, i, null);
  }
  return bytes;
}

/** The same of values that hold other lists of values, such as dead letters: those may be as deep as by themselves. */
export function measureWrapped(values: Values): number {
  let bytes = 1;
  for (const value of values) bytes += Array.isArray(value) ? measureValues(value) + 4 : measureValues([value]);
  return bytes;
}

/** The way to a value, kept as a chain of calls' frames so that nothing is built unless a value is refused. */
interface Step {
  readonly key: string | number;
  readonly up: Step | null;
}

function measure(value: unknown, depth: number, key: string | number, up: Step | null): number {
  switch (typeof value) {
    case 'string':
      return measureText(value, key, up);
    case 'number':
    case 'boolean':
    case 'undefined':
      return SMALL_BYTES;
    case 'bigint':
      return SMALL_BYTES + (value.toString(16).length >> 1);
    case 'object':
      return value === null ? 1 : measureObject(value, depth, { key, up });
    case 'function':
      throw refused({ key, up }, 'a function');
    case 'symbol':
      throw refused({ key, up }, 'a symbol');
  }
}

function measureText(text: string, key: string | number, up: Step | null): number {
  if (!isWellFormed(text)) throw refused({ key, up }, `a text with ${HALF}`);
  return text.length + 5;
}

function measureObject(value: object, depth: number, step: Step): number {
  if (depth >= VALUE_DEPTH_MAX) throw refused(step, `nested deeper than ${VALUE_DEPTH_MAX}, or a cycle`);
  if (Array.isArray(value)) {
    let bytes = 5;
    for (let i = 0; i < value.length; i++) bytes += measure(value[i], depth + 1, i, step);
    return bytes;
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength + 8;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== Object.prototype && prototype !== null) return measureInstance(value, prototype, depth, step);
  if (Object.hasOwn(value, '__proto__')) throw refused(step, 'an object with a key "__proto__"');
  let bytes = 5;
  for (const name in value) {
    if (!isWellFormed(name)) throw refused(step, `an object with a key that has ${HALF}`);
    bytes += name.length + 5 + measure((value as Readonly<Record<string, unknown>>)[name], depth + 1, name, step);
  }
  return bytes;
}

/** An instance of a class that is registered takes what it is made of. */
function measureInstance(value: object, prototype: object, depth: number, step: Step): number {
  if (prototype === Date.prototype) {
    if (Number.isNaN((value as Date).getTime())) throw refused(step, 'an invalid date');
    return 16;
  }
  const extension = extensionOf(prototype);
  if (extension === null) throw refused(step, `an instance of ${nameOfClass(prototype)}`);
  return 3 + measure(extension.pack(value), depth + 1, nameOfClass(prototype), step);
}

const HALF = 'half of a surrogate pair, which is no text';

/** Whether a text can be written as UTF-8 and read again. */
function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

function nameOfClass(prototype: unknown): string {
  const maker = (prototype as { readonly constructor?: { readonly name?: unknown } } | null)?.constructor;
  return typeof maker?.name === 'string' && maker.name !== '' ? maker.name : 'a class';
}

function refused(step: Step, what: string): ValueRefused {
  const keys: (string | number)[] = [];
  for (let at: Step | null = step; at !== null; at = at.up) keys.unshift(at.key);
  const path = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
  return new ValueRefused(`values${path}`, what);
}

/** Freezes values all the way down, for development: who changes a tuple then gets an error instead of a puzzle. */
export function freezeValues(values: Values): void {
  freeze(values);
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
  // What is in an instance of a class is its own business.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  Object.freeze(value);
  for (const item of Object.values(value)) freeze(item);
}
