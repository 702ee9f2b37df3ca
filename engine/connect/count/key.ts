// A key as something that a Map can hold, by value: equal keys give the same, different keys never do. One primitive
// value is its own key; everything else becomes a text that says the type of each part, so 1, "1" and 1n stay apart,
// and that sorts the fields of objects. As everywhere in Millrace -0 is 0 and NaN equals itself. Any thread.

import type { Values } from '../../component/tuple.js';

/** The key of the values at these places. */
export function keyOf(values: Values, places: readonly number[]): unknown {
  const only = values[places[0] ?? 0];
  if (places.length === 1 && (typeof only !== 'object' || only === null)) {
    // A text may look like the key of something else; none of those begins as this does.
    return typeof only === 'string' && only.startsWith('\u0000') ? `\u0000s${only}` : only;
  }
  let text = '\u0000k';
  for (const place of places) text += `${partText(values[place])},`;
  return text;
}

function partText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return String(value === 0 ? 0 : value);
    case 'bigint':
      return `${value}n`;
    case 'object':
      return objectText(value);
    default:
      return String(value);
  }
}

function objectText(value: object | null): string {
  if (value === null) return 'null';
  if (value instanceof Date) return `d${value.getTime()}`;
  if (Array.isArray(value)) return `[${Array.from(value, partText).join(',')}]`;
  if (ArrayBuffer.isView(value))
    return `b${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}`;
  if (value instanceof ArrayBuffer) return `b${Buffer.from(value).toString('base64')}`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${partText(member)}`).join(',')}}`;
}
