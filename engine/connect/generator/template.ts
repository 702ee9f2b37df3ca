// What a generator makes: for each field of its template a rule or a constant. Invariant: the values of a tuple follow
// from the seed and the number of the tuple alone, so a failed tuple is made again and none has to be held. Pure, any
// thread.
//
//   'text' | 1 | true | null | [ … ]      that value itself
//   { oneOf: [ … ] }                      one of these, whatever they are
//   { integer: [min, max] }               a whole number, both ends included
//   { float: [min, max] }                 a number from min to below max
//   { sequence: start }                   start plus the number of the tuple: 0, 1, 2 … over all tasks
//   { string: { length, alphabet? } }     that many characters of the alphabet (a to z)

import type { Values } from '../../component/tuple.js';
import type { Random } from '../../random.js';

/** One field of a template. */
export type FieldRule =
  | string
  | number
  | boolean
  | null
  | readonly unknown[]
  | { readonly oneOf: readonly unknown[] }
  | { readonly integer: readonly [min: number, max: number] }
  | { readonly float: readonly [min: number, max: number] }
  | { readonly sequence: number }
  | { readonly string: { readonly length: number; readonly alphabet?: string } };

/** Rules by field name. */
export type Template = Readonly<Record<string, FieldRule>>;

/** Makes the value of one field of one tuple. */
type Maker = (random: Random, number: number) => unknown;

/** A template that was checked: its fields, and the tuples that it makes. */
export interface CompiledTemplate {
  readonly fields: readonly string[];
  /** @param random - started for this tuple */
  values(random: Random, number: number): Values;
}

/** The longest generated text: larger data belongs in a store. */
export const GENERATED_LENGTH_MAX = 65_536;

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/**
 * Checks a template and makes it ready.
 *
 * @param wrong - makes the error for a field and what is wrong with it
 */
export function compileTemplate(template: unknown, wrong: (field: string, what: string) => Error): CompiledTemplate {
  if (!isObject(template)) throw wrong('', 'must be an object of fields');
  const fields = Object.keys(template);
  if (fields.length === 0) throw wrong('', 'must have at least one field');
  const makers = fields.map((field) => makerOf(template[field], (what) => wrong(`.${field}`, what)));
  return {
    fields,
    values: (random, number) => makers.map((make) => make(random, number)),
  };
}

function makerOf(rule: unknown, wrong: (what: string) => Error): Maker {
  if (Array.isArray(rule) || (typeof rule !== 'object' && rule !== undefined) || rule === null) return () => rule;
  if (!isObject(rule)) throw wrong('must have a value or a rule');
  const names = Object.keys(rule);
  const [name] = names;
  if (names.length !== 1 || name === undefined) throw wrong(`must have exactly one rule: ${RULES}`);
  const value = rule[name];
  switch (name) {
    case 'oneOf':
      return oneOf(value, wrong);
    case 'integer':
      return integer(value, wrong);
    case 'float':
      return float(value, wrong);
    case 'sequence':
      if (!Number.isSafeInteger(value)) throw wrong('has a sequence that does not start with a whole number');
      return (_random, number) => (value as number) + number;
    case 'string':
      return text(value, wrong);
    default:
      throw wrong(`has no rule "${name}"; there are ${RULES}, and an object is written as { "oneOf": [ it ] }`);
  }
}

const RULES = 'oneOf, integer, float, sequence, string';

function oneOf(value: unknown, wrong: (what: string) => Error): Maker {
  if (!Array.isArray(value) || value.length === 0) throw wrong('has a oneOf that is no list with values in it');
  const values: readonly unknown[] = value;
  return (random) => values[random.nextBelow(values.length)];
}

function integer(value: unknown, wrong: (what: string) => Error): Maker {
  const [min, max] = pairOf(value);
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min > max || !Number.isSafeInteger(max - min + 1)) {
    throw wrong('has an integer that is no [min, max] of whole numbers, the lower one first');
  }
  return (random) => min + random.nextBelow(max - min + 1);
}

function float(value: unknown, wrong: (what: string) => Error): Maker {
  const [min, max] = pairOf(value);
  if (!Number.isFinite(min) || !Number.isFinite(max - min) || min > max) {
    throw wrong('has a float that is no [min, max] of numbers, the lower one first');
  }
  return (random) => min + random.nextFloat() * (max - min);
}

function text(value: unknown, wrong: (what: string) => Error): Maker {
  const { length, alphabet = LETTERS, ...others } = isObject(value) ? value : {};
  const fits = Number.isSafeInteger(length) && (length as number) >= 0 && (length as number) <= GENERATED_LENGTH_MAX;
  if (!fits || typeof alphabet !== 'string' || alphabet === '' || Object.keys(others).length > 0) {
    throw wrong(`has a string that is no { length: 0 to ${GENERATED_LENGTH_MAX}, alphabet: a text }`);
  }
  const characters = [...alphabet];
  return (random) => {
    let made = '';
    for (let at = 0; at < (length as number); at++) made += characters[random.nextBelow(characters.length)] ?? '';
    return made;
  };
}

function pairOf(value: unknown): readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return [NaN, NaN];
  const [min, max] = value as readonly unknown[];
  return typeof min === 'number' && typeof max === 'number' ? [min, max] : [NaN, NaN];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
