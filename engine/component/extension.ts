// Classes of users whose instances may stand in tuples. A topology's module registers them when it is imported, so that
// every worker knows them; how they travel is the codec's business (codec/extensions.ts). They are kept by a registered
// symbol, because a bundle carries a copy of this module of its own, and known by their very prototype: what extends a
// registered class is not registered. Pure, any thread.

import { failure } from '../errors.js';
import { EXTENSION_NUMBER_MAX } from '../limits.js';
import { shown } from '../model/names.js';

/** How the instances of a class travel. */
export interface Extension<T = unknown, D = unknown> {
  /** 1 to 63, one for each class, the same in every version of the topology that meets another one. */
  readonly number: number;
  /** What it is made of, as plain data. Called at each emit that leaves the thread, and to find its key group. */
  readonly pack: (instance: T) => D;
  /** Makes it again. */
  readonly unpack: (data: D) => T;
}

/** A class and how its instances travel. */
export interface RegisteredExtension extends Extension {
  readonly type: abstract new (...args: never) => unknown;
}

interface Registry {
  readonly byPrototype: Map<object, RegisteredExtension>;
  readonly byNumber: Map<number, RegisteredExtension>;
  /** Told of each class that is registered. */
  readonly listeners: ((extension: RegisteredExtension) => void)[];
}

const REGISTRY = Symbol.for('millrace.extensions');

function registry(): Registry {
  const place = globalThis as { [REGISTRY]?: Registry };
  return (place[REGISTRY] ??= { byPrototype: new Map(), byNumber: new Map(), listeners: [] });
}

/**
 * Lets instances of a class travel in tuples. Call it where the module of the topology is imported, best beside the
 * class; registering the same class under the same number again does nothing.
 *
 * ```ts
 * registerExtension(Money, {
 *   number: 1,
 *   pack: (money) => [money.amount, money.currency],
 *   unpack: ([amount, currency]) => new Money(amount, currency),
 * });
 * ```
 *
 * @throws MILLRACE_EXTENSION_NUMBER, MILLRACE_EXTENSION_CLASS
 */
export function registerExtension<T extends object, const D>(
  type: abstract new (...args: never) => T,
  extension: Extension<T, D>,
): void {
  const { byPrototype, byNumber, listeners } = registry();
  const { number } = extension;
  const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype) {
    throw failure('MILLRACE_EXTENSION_CLASS', { actual: shown(type) });
  }
  if (!Number.isInteger(number) || number < 1 || number > EXTENSION_NUMBER_MAX) {
    throw failure('MILLRACE_EXTENSION_NUMBER', {
      name: type.name,
      what: `is ${shown(number)}`,
      max: EXTENSION_NUMBER_MAX,
    });
  }
  const other = byPrototype.get(prototype) ?? byNumber.get(number);
  if (other !== undefined) {
    if (other.type === type && other.number === number) return;
    const what = `clashes with number ${other.number} of class "${other.type.name}"`;
    throw failure('MILLRACE_EXTENSION_NUMBER', { name: type.name, what, max: EXTENSION_NUMBER_MAX });
  }
  const registered = { ...extension, type } as unknown as RegisteredExtension;
  byPrototype.set(prototype, registered);
  byNumber.set(number, registered);
  for (const listener of listeners) listener(registered);
}

/** How that object travels, when its class is registered; else null. */
export function extensionOf(prototype: object): RegisteredExtension | null {
  return registry().byPrototype.get(prototype) ?? null;
}

/** Tells of every class that is registered, now and later. */
export function onExtension(listener: (extension: RegisteredExtension) => void): void {
  const { byNumber, listeners } = registry();
  for (const extension of byNumber.values()) listener(extension);
  listeners.push(listener);
}
