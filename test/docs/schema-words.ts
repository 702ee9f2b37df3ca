// Says in words what a schema allows, for the tables of settings. Pure.

import { DURATION_PATTERN } from '../../engine/model/duration.js';

/** The part of JSON Schema that our schemas use. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly description?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** One row of a table of settings. */
export interface Setting {
  readonly key: string;
  /** What it may be, with its unit. */
  readonly allowed: string;
  /** What holds without it. */
  readonly fallback: string;
  readonly description: string;
}

/** The settings of an object schema, in order. */
export function settingsOf(schema: Schema): readonly Setting[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).map(([key, property]) => {
    const { description = '' } = property;
    const stated = /^(.*?)\s*\bDefault:? (.*)\.$/.exec(description);
    const fallback =
      property.default === undefined ? (stated?.[2] ?? 'none') : `\`${JSON.stringify(property.default)}\``;
    return {
      key,
      allowed: allowedBy(property, key),
      fallback: required.includes(key) ? 'required' : fallback,
      description: stated?.[1] ?? description,
    };
  });
}

function allowedBy(schema: Schema, key: string): string {
  const { anyOf, enum: choices, const: constant, type } = schema;
  if (anyOf !== undefined) return allowedByAny(anyOf, key);
  if (choices !== undefined) return choices.map(code).join(', ');
  if (constant !== undefined) return code(constant);
  switch (type) {
    case 'string':
      return schema.maxLength === undefined ? 'text' : `text, at most ${shown(schema.maxLength)} characters`;
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
    case 'number':
      return `${/bytes/i.test(key) ? 'bytes' : type === 'integer' ? 'whole number' : 'number'}${bounds(schema)}`;
    case 'array':
      return `list of ${allowedBy(schema.items ?? {}, '')}`;
    default:
      return 'object';
  }
}

function allowedByAny(schemas: readonly Schema[], key: string): string {
  const isDuration = schemas.some(({ pattern }) => pattern === DURATION_PATTERN);
  const others = isDuration ? schemas.filter(({ type }) => type !== 'string' && type !== 'integer') : schemas;
  const words = others.map((each) => (each.type === 'null' ? '`null`' : allowedBy(each, key)));
  return [...(isDuration ? ['duration'] : []), ...new Set(words)].join(', or ');
}

function bounds({ minimum, exclusiveMinimum, maximum }: Schema): string {
  if (exclusiveMinimum !== undefined) return ` above ${shown(exclusiveMinimum)}`;
  if (minimum === undefined) return '';
  const isOpen = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER;
  return isOpen ? `, at least ${shown(minimum)}` : `, ${shown(minimum)} to ${shown(maximum)}`;
}

function shown(value: number): string {
  return value.toLocaleString('en-US');
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}
