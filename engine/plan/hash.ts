// Hashes plain data over a canonical form, the same on every host and in every process: each value is mixed in behind a
// tag of its type, objects by sorted field names, -0 as 0 and every NaN as one. Pure, allocates nothing for strings and
// numbers; runs once for each tuple and key field.
//
// The mixing is MurmurHash3_x86_32 by Austin Appleby, public domain (github.com/aappleby/smhasher). Strings are taken
// two UTF-16 code units at a time.

import { extensionOf } from '../component/extension.js';

export const HASH_SEED = 0x6d696c6c | 0;

const TAG_NULL = 1;
const TAG_UNDEFINED = 2;
const TAG_FALSE = 3;
const TAG_TRUE = 4;
const TAG_INTEGER = 5;
const TAG_NUMBER = 6;
const TAG_BIGINT = 7;
const TAG_STRING = 8;
const TAG_DATE = 9;
const TAG_BYTES = 10;
const TAG_ARRAY = 11;
const TAG_OBJECT = 12;
const TAG_EXTENSION = 13;

const doubles = new Float64Array(1);
const halves = new Int32Array(doubles.buffer);

function mix(hash: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** The final mixing, as an unsigned 32-bit number. */
export function finishHash(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Mixes a value into a hash that started as `HASH_SEED`. */
export function hashValue(hash: number, value: unknown): number {
  if (typeof value === 'string') return hashString(mix(hash, TAG_STRING), value);
  if (typeof value === 'number') return hashNumber(hash, value);
  switch (typeof value) {
    case 'boolean':
      return mix(hash, value ? TAG_TRUE : TAG_FALSE);
    case 'bigint':
      return hashString(mix(hash, TAG_BIGINT), value.toString(36));
    case 'object':
      return value === null ? mix(hash, TAG_NULL) : hashObject(hash, value);
    default:
      return mix(hash, TAG_UNDEFINED);
  }
}

function hashString(start: number, text: string): number {
  const length = text.length;
  let hash = start;
  let i = 0;
  for (; i + 1 < length; i += 2) hash = mix(hash, text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
  if (i < length) hash = mix(hash, text.charCodeAt(i));
  return hash ^ length;
}

function hashNumber(hash: number, value: number): number {
  const integer = value | 0;
  if (integer === value) return mix(mix(hash, TAG_INTEGER), integer);
  doubles[0] = Number.isNaN(value) ? Number.NaN : value;
  return mix(mix(mix(hash, TAG_NUMBER), halves[0]!), halves[1]!);
}

function hashObject(hash: number, value: object): number {
  if (Array.isArray(value)) {
    let h = mix(mix(hash, TAG_ARRAY), value.length);
    for (const item of value) h = hashValue(h, item);
    return h;
  }
  if (value instanceof Date) return hashNumber(mix(hash, TAG_DATE), value.getTime());
  if (ArrayBuffer.isView(value)) {
    return hashBytes(mix(hash, TAG_BYTES), new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  if (value instanceof ArrayBuffer) return hashBytes(mix(hash, TAG_BYTES), new Uint8Array(value));
  const prototype = Object.getPrototypeOf(value) as object | null;
  const extension = prototype === Object.prototype || prototype === null ? null : extensionOf(prototype);
  if (extension !== null) return hashValue(mix(mix(hash, TAG_EXTENSION), extension.number), extension.pack(value));
  const names = Object.keys(value).sort();
  let h = mix(mix(hash, TAG_OBJECT), names.length);
  for (const name of names) {
    h = hashValue(hashString(mix(h, TAG_STRING), name), (value as Readonly<Record<string, unknown>>)[name]);
  }
  return h;
}

function hashBytes(start: number, bytes: Uint8Array): number {
  let hash = mix(start, bytes.length);
  for (const byte of bytes) hash = mix(hash, byte);
  return hash;
}
