// Where a value differs from its schema, all places at once. The schema library judges (`Check`), but lists only the
// first few errors and says every branch of a union; here the value is walked along its schema to name each place once,
// in words: an unknown key, a missing one, a value of the wrong kind. Only readers of JSON documents import this. Pure,
// any thread.

import type { TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { DURATION_PATTERN } from './duration.js';
import { keyPath, NAME_PATTERN, shown } from './names.js';

/** One place where a value differs from its schema. */
export type Mismatch =
  | { readonly kind: 'unknown'; readonly path: string; readonly key: string; readonly known: readonly string[] }
  | { readonly kind: 'missing'; readonly path: string; readonly key: string; readonly expected: string }
  | {
      readonly kind: 'value';
      readonly path: string;
      readonly expected: string;
      readonly actual: string;
      readonly description: string;
    };

/** The parts of JSON Schema that the walk follows; everything else is judged by the library alone. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: boolean | Node;
  readonly items?: Node | readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
}

/** Every place where that value differs from that schema; none when it fits. */
export function mismatches(schema: TSchema, value: unknown, path: string): readonly Mismatch[] {
  const found: Mismatch[] = [];
  walk(schema, value, path, found);
  return found;
}

/** The names of the properties of an object schema; null when it takes others as well. */
export function propertyNames(schema: TSchema): readonly string[] | null {
  const { properties = {}, additionalProperties } = schema as Node;
  return additionalProperties === false ? Object.keys(properties) : null;
}

function walk(node: Node, value: unknown, path: string, found: Mismatch[]): void {
  if (Check(node as TSchema, value)) return;
  const before = found.length;
  const branch = node.anyOf === undefined ? node : likelyBranch(node.anyOf, value);
  if (branch !== undefined) {
    if (isObject(value) && branch.type === 'object') walkObject(branch, value, path, found);
    if (Array.isArray(value) && branch.type === 'array') walkItems(branch, value, path, found);
  } else if (isObject(value) && node.anyOf !== undefined) {
    walkUnknownKeys(node.anyOf, value, path, found);
  }
  if (found.length > before) return;
  const description = branch?.description ?? node.description ?? expected(node);
  found.push({ kind: 'value', path, expected: expected(node), actual: shown(value), description });
}

function walkObject(node: Node, value: Readonly<Record<string, unknown>>, path: string, found: Mismatch[]): void {
  const properties = new Map(Object.entries(node.properties ?? {}));
  for (const key of node.required ?? []) {
    if (Object.hasOwn(value, key)) continue;
    const property = properties.get(key);
    found.push({
      kind: 'missing',
      path: keyPath(path, key),
      key,
      expected: property?.description ?? expected(property ?? {}),
    });
  }
  const patterns = Object.entries(node.patternProperties ?? {}).map(
    ([pattern, property]) => [new RegExp(pattern, 'u'), property] as const,
  );
  for (const [key, each] of Object.entries(value)) {
    const property = properties.get(key) ?? patterns.find(([pattern]) => pattern.test(key))?.[1];
    if (property !== undefined) walk(property, each, keyPath(path, key), found);
    else if (node.additionalProperties === false) {
      found.push({ kind: 'unknown', path: keyPath(path, key), key, known: [...properties.keys()] });
    } else if (typeof node.additionalProperties === 'object') {
      walk(node.additionalProperties, each, keyPath(path, key), found);
    }
  }
}

/** The keys that no branch of a union has. */
function walkUnknownKeys(
  branches: readonly Node[],
  value: Readonly<Record<string, unknown>>,
  path: string,
  found: Mismatch[],
): void {
  const objects = branches.filter((branch) => branch.type === 'object');
  if (objects.length === 0 || objects.some((branch) => branch.additionalProperties !== false)) return;
  const known = objects.flatMap((branch) => Object.keys(branch.properties ?? {}));
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) found.push({ kind: 'unknown', path: keyPath(path, key), key, known });
  }
}

function walkItems(node: Node, value: readonly unknown[], path: string, found: Mismatch[]): void {
  const { items } = node;
  value.forEach((each, index) => {
    const item = Array.isArray(items) ? (items as readonly Node[])[index] : (items as Node | undefined);
    if (item !== undefined) walk(item, each, `${path}[${index}]`, found);
  });
}

/** The one branch of a union that a value of this kind can have been meant for. */
function likelyBranch(branches: readonly Node[], value: unknown): Node | undefined {
  if (Array.isArray(value)) return only(branches.filter((branch) => branch.type === 'array'));
  if (!isObject(value)) return undefined;
  const objects = branches.filter((branch) => branch.type === 'object');
  if (objects.length < 2) return objects[0];
  return only(
    objects.filter((branch) => Object.keys(value).some((key) => Object.hasOwn(branch.properties ?? {}, key))),
  );
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a schema takes, in words. */
function expected(node: Node): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return oneOf(node.enum);
  if (node.anyOf !== undefined) {
    const constants = node.anyOf.filter((branch) => branch.const !== undefined);
    if (constants.length === node.anyOf.length) return oneOf(constants.map((branch) => branch.const));
    return [...new Set(node.anyOf.map(expected))].join(' or ');
  }
  switch (node.type) {
    case 'integer':
      return `a whole number${bounds(node)}`;
    case 'number':
      return `a number${bounds(node)}`;
    case 'string':
      return expectedText(node);
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return `a list${counts(node)}${node.uniqueItems === true ? ' without repetitions' : ''}`;
    case 'object':
      return expectedObject(node);
    default:
      return 'a value that its schema allows';
  }
}

function expectedObject({ required = [], minProperties = 0 }: Node): string {
  if (required.length > 0) return `an object with ${required.map((key) => `"${key}"`).join(', ')}`;
  return minProperties > 0 ? 'an object with at least one key' : 'an object';
}

function expectedText({ pattern, minLength = 0, maxLength }: Node): string {
  if (pattern === DURATION_PATTERN) return 'a duration such as "500ms", "10s" or "2m"';
  if (pattern === NAME_PATTERN) return 'a name of letters, digits, ".", "_" and "-", at most 128';
  if (pattern !== undefined) return `text that matches ${pattern}`;
  if (maxLength !== undefined) return `text of ${minLength} to ${maxLength} characters`;
  return minLength > 0 ? 'text that is not empty' : 'text';
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Node): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const parts = [
    ...(minimum === undefined ? [] : [` of at least ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [` above ${exclusiveMinimum}`]),
    ...(maximum === undefined ? [] : [` of at most ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [` below ${exclusiveMaximum}`]),
  ];
  return parts.join(' and');
}

function counts({ minItems, maxItems }: Node): string {
  if (minItems !== undefined && minItems === maxItems) return ` of exactly ${minItems}`;
  if (minItems !== undefined && minItems > 0) return ` of at least ${minItems}`;
  return maxItems === undefined ? '' : ` of at most ${maxItems}`;
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return texts.length === 1 ? (texts[0] ?? '') : `one of ${texts.join(', ')}`;
}
