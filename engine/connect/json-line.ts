// A tuple as one line of JSON by field name, for sinks and logs: `{"word":"whale","count":1}`. Values that JSON does
// not have are written as what most readers take: dates as ISO text, binary data as base64, bigints as numbers where
// those are exact and as text beyond, NaN and infinities as null. Invariant: the text holds no line end. Any thread.

import type { Tuple } from '../component/tuple.js';

/** Writes tuples; what goes in front of each value is made once for a stream. */
export class JsonLines {
  private fields: readonly string[] = [];
  private prefixes: readonly string[] = [];

  /** The tuple as one object, without a line end. */
  text(tuple: Tuple): string {
    if (tuple.fields !== this.fields) {
      this.fields = tuple.fields;
      this.prefixes = tuple.fields.map((field, at) => `${at === 0 ? '{' : ','}${JSON.stringify(field)}:`);
    }
    const { values } = tuple;
    let text = '';
    for (let at = 0; at < this.prefixes.length; at++) text += (this.prefixes[at] ?? '') + valueText(values[at]);
    return text === '' ? '{}' : `${text}}`;
  }
}

function valueText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? String(value) : `"${String(value)}"`;
    case 'object':
      return objectText(value);
    default:
      return 'null';
  }
}

function objectText(value: object | null): string {
  if (value === null) return 'null';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'null' : `"${value.toISOString()}"`;
  if (Array.isArray(value)) return `[${Array.from(value, valueText).join(',')}]`;
  if (ArrayBuffer.isView(value)) {
    return `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`;
  }
  if (value instanceof ArrayBuffer) return `"${Buffer.from(value).toString('base64')}"`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${valueText(member)}`);
  }
  return `{${members.join(',')}}`;
}
