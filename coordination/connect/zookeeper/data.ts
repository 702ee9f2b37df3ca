// The data of nodes as values of tuples, and back. What a tuple holds of a node is a copy, because values of tuples are
// never changed and the store may use its buffers again. Any thread.

import { failure, reasonOf } from '../../../engine/errors.js';

/** How data comes in tuples. */
export const DATA_FORMATS = ['bytes', 'text', 'json'] as const;

export type DataFormat = (typeof DATA_FORMATS)[number];

/**
 * The data of a node as a value.
 *
 * @throws MILLRACE_STORE_CONTENT when it is not that
 */
export function dataAs(format: DataFormat, path: string, data: Uint8Array): unknown {
  if (format === 'bytes') return Uint8Array.from(data);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data);
    return format === 'text' ? text : (JSON.parse(text) as unknown);
  } catch (error) {
    const reason = `it is not ${format === 'json' ? 'JSON' : 'UTF-8 text'}: ${reasonOf(error)}`;
    throw failure('MILLRACE_STORE_CONTENT', { path, reason }, { cause: error });
  }
}

/** A value as the data of a node: bytes and text as they are, nothing as no data, everything else as JSON. */
export function dataOf(value: unknown): Uint8Array {
  if (value === null || value === undefined) return new Uint8Array();
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (ArrayBuffer.isView(value)) return Uint8Array.from(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return Buffer.from(JSON.stringify(value, plain), 'utf8');
}

/** Numbers beyond what is exact go as text. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}
