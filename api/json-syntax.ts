// Finds where a text stops being JSON. `JSON.parse` does the reading; when it refuses, its message names no line and,
// for some mistakes, no position at all, so this walks the text by the grammar of RFC 8259 to the first character
// that cannot stand there. Pure.

/** The first mistake in a text that is not JSON. */
export interface JsonMistake {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
  readonly lineText: string;
  readonly reason: string;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING_PART = /[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SPACE = /[ \t\r\n]*/y;
const WORD = /[A-Za-z_]\w*/y;

class Mistake extends Error {
  readonly offset: number;

  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
  }
}

/** The first mistake, or null when the text is JSON as far as its grammar goes. */
export function findJsonMistake(text: string): JsonMistake | null {
  try {
    const end = skip(text, value(text, skip(text, 0)));
    if (end < text.length) throw new Mistake(end, `${shown(text, end)} follows the end of the document`);
    return null;
  } catch (mistake) {
    if (mistake instanceof Mistake) return locate(text, mistake);
    if (mistake instanceof RangeError) return locate(text, new Mistake(0, 'it is nested too deeply'));
    throw mistake;
  }
}

function value(text: string, at: number): number {
  const first = text[at];
  if (first === '{') return list(text, at, '}', member);
  if (first === '[') return list(text, at, ']', value);
  if (first === '"') return string(text, at);
  const word = match(WORD, text, at);
  if (word === 'true' || word === 'false' || word === 'null') return at + word.length;
  const number = match(NUMBER, text, at);
  if (number !== '') return at + number.length;
  if (first === '}' || first === ']') throw new Mistake(at, `a value is missing before ${shown(text, at)}`);
  throw new Mistake(at, `${shown(text, at)} is not a value`);
}

function list(text: string, open: number, close: string, item: (text: string, at: number) => number): number {
  let at = skip(text, open + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    at = skip(text, item(text, at));
    if (text[at] === close) return at + 1;
    if (text[at] !== ',') throw new Mistake(at, `"," or "${close}" is expected, not ${shown(text, at)}`);
    const next = skip(text, at + 1);
    if (text[next] === close) throw new Mistake(at, `the "," before "${close}" is one too many`);
    at = next;
  }
}

function member(text: string, at: number): number {
  if (text[at] !== '"') throw new Mistake(at, `a key in double quotes is expected, not ${shown(text, at)}`);
  const colon = skip(text, string(text, at));
  if (text[colon] !== ':') throw new Mistake(colon, `":" is expected after the key, not ${shown(text, colon)}`);
  return value(text, skip(text, colon + 1));
}

function string(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    if (text[at] === '"') return at + 1;
    const part = match(STRING_PART, text, at);
    if (part === '') {
      if (text[at] === '\\') throw new Mistake(at, 'this escape is not one of JSON');
      if (text[at] === undefined || text[at] === '\n') throw new Mistake(open, 'this string has no end');
      throw new Mistake(at, 'a control character must be escaped in a string');
    }
    at += part.length;
  }
}

function skip(text: string, at: number): number {
  return at + match(SPACE, text, at).length;
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function shown(text: string, at: number): string {
  const word = match(WORD, text, at);
  if (word !== '') return `"${word.length > 20 ? `${word.slice(0, 20)}…` : word}"`;
  const character = text.codePointAt(at);
  return character === undefined ? 'the end of the file' : `"${String.fromCodePoint(character)}"`;
}

function locate(text: string, { offset, message: reason }: Mistake): JsonMistake {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(0, start).split('\n').length;
  return { line, column: offset - start + 1, lineText: text.slice(start, end === -1 ? undefined : end), reason };
}
