// Reads a topology document from text. `JSON.parse` alone tells neither line nor column of an error on every version of
// Node, and takes the last of two equal keys without a word, which would lose a component. So the text is walked first,
// by the grammar of RFC 8259, to the first thing that is wrong with it. Without the schema library, because whoever
// opens a file needs this. Bounds: bytes of the text, depth. Pure, any thread.

import type { MillraceError } from '../errors.js';
import { failure } from '../errors.js';
import { DOCUMENT_BYTES_MAX, VALUE_DEPTH_MAX } from '../limits.js';
import { codeFrame } from './code-frame.js';
import { printable, shown } from './names.js';

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const LINE_END = /\r\n|\r|\n/;
const LITERALS: readonly string[] = ['true', 'false', 'null'];

/**
 * Parses a document.
 *
 * @param name - the file, for messages
 * @throws MILLRACE_DOCUMENT_SYNTAX naming file, line and column, and showing the line; also for a key that an object
 * has twice
 * @throws MILLRACE_DOCUMENT_TOO_LARGE
 */
export function parseDocument(text: string, name: string): unknown {
  const file = printable(name, 200);
  const bytes = text.length > DOCUMENT_BYTES_MAX ? text.length : new TextEncoder().encode(text).length;
  if (bytes > DOCUMENT_BYTES_MAX) {
    throw failure('MILLRACE_DOCUMENT_TOO_LARGE', { file, bytes, bytesMax: DOCUMENT_BYTES_MAX });
  }
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  const mistake = new Walk(json).mistake();
  if (mistake !== null) throw syntaxError(json, file, mistake);
  try {
    return JSON.parse(json) as unknown;
  } catch (thrown) {
    throw failure(
      'MILLRACE_DOCUMENT_SYNTAX',
      { file, line: 1, column: 1, what: 'it is not JSON', frame: '' },
      { cause: thrown },
    );
  }
}

interface Mistake {
  readonly offset: number;
  readonly what: string;
}

function syntaxError(text: string, file: string, { offset, what }: Mistake): MillraceError {
  const lines = text.slice(0, offset).split(LINE_END);
  const line = lines.length;
  const before = lines.at(-1) ?? '';
  const column = before.length + 1;
  const [after = ''] = text.slice(offset).split(LINE_END, 1);
  return failure('MILLRACE_DOCUMENT_SYNTAX', {
    file,
    line,
    column,
    what,
    frame: codeFrame(before + after, line, column),
  });
}

/** One walk over a text; ends at the first mistake by throwing it to itself. */
class Walk {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The first mistake, or null when the text is JSON. */
  mistake(): Mistake | null {
    try {
      this.skip(SPACE);
      this.value(0);
      this.skip(SPACE);
      if (this.at < this.text.length) throw this.wrong(`expected the end of the document, found ${this.found()}`);
      return null;
    } catch (thrown) {
      if (thrown instanceof Stop) return { offset: thrown.offset, what: thrown.message };
      throw thrown;
    }
  }

  private value(depth: number): void {
    if (depth > VALUE_DEPTH_MAX) throw this.wrong(`nested more than ${VALUE_DEPTH_MAX} levels deep`);
    const first = this.text[this.at];
    if (first === '{') this.members(depth);
    else if (first === '[') this.items(depth);
    else if (first === '"') this.string('a value');
    else if (!this.literal() && !this.skip(NUMBER)) throw this.wrong(`expected a value, found ${this.found()}`);
  }

  private members(depth: number): void {
    const keys = new Set<string>();
    this.list('}', () => {
      const start = this.at;
      const key = this.string('a key in double quotes');
      if (keys.has(key)) {
        this.at = start;
        throw this.wrong(`the key ${shown(key)} stands here twice`);
      }
      keys.add(key);
      this.skip(SPACE);
      this.expect(':', 'after a key');
      this.skip(SPACE);
      this.value(depth + 1);
    });
  }

  private items(depth: number): void {
    this.list(']', () => this.value(depth + 1));
  }

  private list(close: string, item: () => void): void {
    this.at += 1;
    this.skip(SPACE);
    if (this.text[this.at] === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      item();
      this.skip(SPACE);
      if (this.text[this.at] === close) break;
      if (this.text[this.at] !== ',') throw this.wrong(`expected "," or "${close}", found ${this.found()}`);
      this.at += 1;
      this.skip(SPACE);
      if (this.text[this.at] === close) throw this.wrong(`no comma may stand before "${close}"`);
    }
    this.at += 1;
  }

  private string(expected: string): string {
    const start = this.at;
    if (this.text[start] !== '"') throw this.wrong(`expected ${expected}, found ${this.found()}`);
    if (this.skip(STRING)) return JSON.parse(this.text.slice(start, this.at)) as string;
    throw this.wrong('this string has no end on its line, or has an escape or character that JSON does not allow');
  }

  private literal(): boolean {
    const start = this.at;
    if (!this.skip(WORD)) return false;
    if (LITERALS.includes(this.text.slice(start, this.at))) return true;
    this.at = start;
    return false;
  }

  private expect(character: string, where: string): void {
    if (this.text[this.at] !== character) throw this.wrong(`expected "${character}" ${where}, found ${this.found()}`);
    this.at += 1;
  }

  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  private found(): string {
    const start = this.at;
    if (start >= this.text.length) return 'the end of the file';
    const word = this.skip(WORD) ? this.text.slice(start, this.at) : (this.text.slice(start).match(/^./su)?.[0] ?? '');
    this.at = start;
    return shown(word);
  }

  private wrong(what: string): Stop {
    return new Stop(what, this.at);
  }
}

class Stop extends Error {
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(what);
    this.offset = offset;
  }
}
