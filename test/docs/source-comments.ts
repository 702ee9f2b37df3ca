// Reads what the comments of the source say of options and bounds, so that the pages say the same. Pure.

/** One property or constant, with its comment in one line. */
export interface Commented {
  readonly name: string;
  readonly comment: string;
}

const COMMENTED = String.raw`/\*\*((?:(?!\*/)[\s\S])*)\*/\s*\n\s*`;

/** The properties of an interface, in order. */
export function membersOf(source: string, name: string): readonly Commented[] {
  const body = new RegExp(`interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no interface ${name}`);
  return all(body, `${COMMENTED}readonly (\\w+)\\??:`);
}

/** The exported constants, in order. One without a comment goes on with that in front of it. */
export function constantsOf(source: string): readonly Commented[] {
  return all(source, `${COMMENTED}export const (\\w+) =`);
}

function all(text: string, pattern: string): readonly Commented[] {
  return [...text.matchAll(new RegExp(pattern, 'g'))].map(([, comment = '', name = '']) => ({
    name,
    comment: inOneLine(comment),
  }));
}

function inOneLine(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('@'))
    .join(' ')
    .replace(/\{@link (\w+)\}/g, '`$1`')
    .trim();
}
