// A record from outside, read into the values of a spout's default stream: by field name or as a list, checked for what
// may travel, and packed at once, so that what its giver does to it later changes nothing. On the main thread.

import { pack } from '../codec/pack.js';
import { measureValues, ValueRefused } from '../codec/values.js';
import { failure, isMillraceError, reasonOf, type MillraceError } from '../errors.js';
import { TUPLE_BYTES_MAX } from '../limits.js';
import { shown } from '../model/names.js';

/** How many fields of a kind are named in an error. */
const NAMED_MAX = 5;

/**
 * The packed values of a record.
 *
 * @throws MILLRACE_INGEST_RECORD
 */
export function packRecord(spout: string, fields: readonly string[], record: unknown): Uint8Array {
  const wrong = (what: string): MillraceError =>
    failure('MILLRACE_INGEST_RECORD', { spout, what, fields: fields.join(', ') });
  try {
    const values = valuesOf(fields, record, wrong);
    const bytes = measureValues(values);
    if (bytes > TUPLE_BYTES_MAX) throw wrong(`has about ${bytes} bytes; the limit is ${TUPLE_BYTES_MAX}`);
    // A copy: what `pack` gives is good until the next call only.
    return new Uint8Array(pack(values));
  } catch (error) {
    if (error instanceof ValueRefused) throw wrong(`holds a value that cannot travel, at ${error.path}: ${error.what}`);
    if (isMillraceError(error)) throw error;
    throw wrong(`cannot be read: ${reasonOf(error)}`);
  }
}

function valuesOf(
  fields: readonly string[],
  record: unknown,
  wrong: (what: string) => MillraceError,
): readonly unknown[] {
  if (Array.isArray(record)) {
    if (record.length === fields.length) return record;
    throw wrong(`has ${record.length} value(s) for ${fields.length} field(s)`);
  }
  if (typeof record !== 'object' || record === null) throw wrong(`is ${shown(record)}, not an object or a list`);
  const missing = fields.filter((field) => !Object.hasOwn(record, field));
  const extra = Object.keys(record).filter((key) => !fields.includes(key));
  if (missing.length === 0 && extra.length === 0) {
    return fields.map((field) => (record as Readonly<Record<string, unknown>>)[field]);
  }
  const lacks = missing.length === 0 ? [] : [`lacks ${named(missing)}`];
  throw wrong([...lacks, ...(extra.length === 0 ? [] : [`has ${named(extra)}, which is no field`])].join(' and '));
}

function named(keys: readonly string[]): string {
  const rest = keys.length - NAMED_MAX;
  return keys.slice(0, NAMED_MAX).map(shown).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
