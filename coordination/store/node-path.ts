// Paths of nodes: `/one/two`, with the rules of ZooKeeper, so that what is accepted here is accepted everywhere. Pure,
// any thread.

import { failure } from '../../engine/errors.js';
import { STORE_PATH_LENGTH_MAX } from '../../engine/limits.js';

/** What ZooKeeper refuses in a path: control characters, halves of surrogate pairs, private and special ones. */
const REFUSED = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** The number at the end of the name of a sequential node. */
const SEQUENCE = /_(-\d{9,10}|\d{10,})$/;

/**
 * Checks a path.
 *
 * @param sequential - the store will put a number behind it, so it may end with a slash
 * @throws MILLRACE_STORE_PATH
 */
export function checkPath(path: string, sequential = false): void {
  const reason = wrongWith(sequential && path.endsWith('/') ? `${path}0` : path);
  if (reason !== null) throw failure('MILLRACE_STORE_PATH', { path: path.slice(0, 200), reason });
}

function wrongWith(path: string): string | null {
  if (!path.startsWith('/')) return 'it does not begin with "/"';
  if (path === '/') return null;
  if (path.length > STORE_PATH_LENGTH_MAX) return `it is longer than ${STORE_PATH_LENGTH_MAX} characters`;
  const refused = REFUSED.exec(path);
  if (refused !== null) return `the character U+${hex(refused[0])} is not allowed`;
  for (const name of path.slice(1).split('/')) {
    if (name === '') return 'a name in it is empty';
    if (name === '.' || name === '..') return `"${name}" is not a name`;
  }
  return null;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
}

/** The path of the parent; "/" for "/one". */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path of that child. */
export function childOf(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** The name that a sequential node gets. */
export function sequenceName(name: string, sequence: number): string {
  return `${name}${String(sequence).padStart(10, '0')}`;
}

/**
 * The number in the name of a sequential node whose prefix ends with `_`, or null. Never `-`: a store may count over
 * the end of 32 bits, and then the sign would be taken for a hyphen, or the hyphen for a sign.
 */
export function sequenceOf(name: string): number | null {
  const digits = SEQUENCE.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}
