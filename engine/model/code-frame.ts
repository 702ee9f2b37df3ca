// Shows a place in a text: the line with a mark under it, as it follows the message of an error. Long lines, such as
// those of minified files, are cut around the place. Pure.

const WIDTH_MAX = 100;

/**
 * The line and the mark, each on a line of its own after a line break; empty for an empty line of text.
 *
 * @param line - counted from 1
 * @param column - counted from 1, in characters
 * @param length - how many characters are marked, at least one
 */
export function codeFrame(text: string, line: number, column: number, length = 1): string {
  const bare = text.replaceAll('\t', ' ').trimEnd();
  if (bare === '') return '';
  const start = column - 1 > WIDTH_MAX - 20 ? column - 1 - Math.floor(WIDTH_MAX / 2) : 0;
  const shown =
    (start > 0 ? '…' : '') + bare.slice(start, start + WIDTH_MAX) + (bare.length > start + WIDTH_MAX ? '…' : '');
  const offset = column - 1 - start + (start > 0 ? 1 : 0);
  const mark = '^'.repeat(Math.max(1, Math.min(length, shown.length - offset)));
  const number = String(line);
  return `\n  ${number} | ${shown}\n  ${' '.repeat(number.length)} | ${' '.repeat(Math.max(0, offset))}${mark}`;
}
