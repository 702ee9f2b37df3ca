// Names of topologies, components, streams and fields, and how they are shown: paths into a topology, and values inside
// messages. Whatever a user wrote is shown without control characters and cut short, so that no message can garble a
// terminal or fill a log. Pure, any thread.

import { NAME_LENGTH_MAX } from '../limits.js';

/** What the names of topologies, components and streams match. */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';

const NAME = new RegExp(NAME_PATTERN);
const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/;
/** Control characters, line and paragraph separators, and marks that turn the direction of text. */
const UNPRINTABLE = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;
const SHOWN_LENGTH_MAX = 80;

/** Whether a topology, a component or a stream may be called that. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

/**
 * Whether a field may be called that: any text, but not what begins with `__` (which the engine and JavaScript keep).
 */
export function isFieldName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= NAME_LENGTH_MAX &&
    !value.startsWith('__') &&
    value.search(UNPRINTABLE) === -1
  );
}

/** What stands for a name that is not even text: never a valid name itself. */
export function nameOf(value: unknown): string {
  return typeof value === 'string' ? value : `(${shown(value)})`;
}

/** That text without what garbles a terminal, cut to a length. */
export function printable(text: string, lengthMax = SHOWN_LENGTH_MAX): string {
  const cut = text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
  return cut.replace(UNPRINTABLE, '\u{fffd}');
}

/** A value inside a message: text in quotes, small values as they are, others by their kind. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `"${printable(value)}"`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    case 'undefined':
      return 'nothing';
    default:
      return printable(String(value));
  }
}

/** The path of a key of what is at that path: `bolts.count`, `bolts["a.b"]`. */
export function keyPath(base: string, key: string): string {
  const shownKey = printable(key, NAME_LENGTH_MAX + 1);
  if (!PLAIN_KEY.test(shownKey)) return `${base}[${JSON.stringify(shownKey)}]`;
  return base === '' ? shownKey : `${base}.${shownKey}`;
}

/** The path of a component: `spouts.lines`. */
export function componentPath(kind: 'spout' | 'bolt', id: string): string {
  return keyPath(`${kind}s`, id);
}
