// Parameters: values that components see while they run, and that change without a restart. Plain JSON by key, of the
// whole cluster and of one topology; a component sees both, and where a key is in both, the topology's. Settings are
// something else: they change the definition of a topology when it is submitted, and never later.
//
//   cluster    { "threshold": 10, "region": "eu", "millrace.logLevel": "debug" }
//   topology   { "threshold": 20 }
//   seen       { "threshold": 20, "region": "eu" }                 keys that begin with `millrace.` are for hosts
//
// Pure, any thread.

import { failure, type MillraceError } from '../errors.js';
import { PARAMETERS_BYTES_MAX, PARAMETERS_DEPTH_MAX } from '../limits.js';
import type { LogLevel } from '../log.js';
import { isName, shown } from './names.js';

/** Values by key, as JSON has them; never changed, but replaced as a whole. */
export type ParameterValues = Readonly<Record<string, unknown>>;

/** Whose parameters they are, as messages say it: `the cluster`, `topology "words"`. */
export type ParameterOwner = 'the cluster' | 'the run' | 'the topology under test' | `topology "${string}"`;

/** The parameter of the cluster that says what its hosts log: that level and above. */
export const LOG_LEVEL = 'millrace.logLevel';

/** Nobody has set any. */
export const NO_PARAMETERS: ParameterValues = Object.freeze({});

/** What keys begin with that hosts heed; components do not see them. */
const OWN = 'millrace.';
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/**
 * The values as they are kept: a frozen copy.
 *
 * @throws MILLRACE_PARAMETERS_INVALID
 */
export function checkParameters(given: unknown, owner: ParameterOwner): ParameterValues {
  if (!isPlain(given)) throw invalid(owner, `they are ${shown(given)}, and not an object`);
  for (const [key, value] of Object.entries(given)) {
    if (!isName(key)) throw invalid(owner, `${shown(key)} is no key: letters, digits, ".", "_" and "-"`);
    if (key.startsWith(OWN)) checkOwn(key, value, owner);
    checkJson(value, key, owner, 1);
  }
  const text = JSON.stringify(given);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > PARAMETERS_BYTES_MAX) {
    throw invalid(owner, `they have ${bytes} bytes as JSON, and the limit is ${PARAMETERS_BYTES_MAX}`);
  }
  return frozen(JSON.parse(text) as ParameterValues);
}

/** What components of a topology see. */
export function seenParameters(cluster: ParameterValues, topology: ParameterValues): ParameterValues {
  const seen = Object.entries({ ...cluster, ...topology }).filter(([key]) => !key.startsWith(OWN));
  return Object.freeze(Object.fromEntries(seen));
}

/** What hosts are to log; null: as each was started. */
export function logLevelOf(cluster: ParameterValues): LogLevel | null {
  return (cluster[LOG_LEVEL] as LogLevel | undefined) ?? null;
}

/** The same, and nothing in it can be changed any more. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}

function checkOwn(key: string, value: unknown, owner: ParameterOwner): void {
  if (key !== LOG_LEVEL) throw invalid(owner, `"${key}" is none of Millrace's own: there is only "${LOG_LEVEL}"`);
  if (owner !== 'the cluster') throw invalid(owner, `"${key}" is for hosts: set it for the cluster`);
  if (LEVELS.includes(value as LogLevel)) return;
  throw invalid(owner, `"${key}" is ${shown(value)}, and not one of ${LEVELS.map((level) => `"${level}"`).join(', ')}`);
}

function checkJson(value: unknown, path: string, owner: ParameterOwner, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (depth > PARAMETERS_DEPTH_MAX) throw invalid(owner, `"${path}" is nested deeper than ${PARAMETERS_DEPTH_MAX}`);
  if (Array.isArray(value)) {
    // Not by its own iteration, which leaves out places that are empty.
    for (let i = 0; i < value.length; i++) checkJson(value[i], path, owner, depth + 1);
  } else if (isPlain(value)) {
    for (const each of Object.values(value)) checkJson(each, path, owner, depth + 1);
  } else {
    throw invalid(owner, `"${path}" has ${shown(value)} in it, which is not JSON`);
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value && isFunction(value.toJSON));
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function invalid(owner: ParameterOwner, reason: string): MillraceError {
  return failure('MILLRACE_PARAMETERS_INVALID', { owner, reason });
}
