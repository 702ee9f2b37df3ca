// JSON pointers (RFC 6901): `/data/items/0`, with ~1 for a slash and ~0 for a tilde inside a name; the empty one is the
// whole document. Invariant: only what the document itself holds is found, never what JavaScript adds. Pure, any
// thread.

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const INDEX = /^(?:0|[1-9][0-9]*)$/;

/** What a pointer in text matches. */
export const POINTER_PATTERN = POINTER.source;

/** Finds a place in a document. */
export class JsonPointer {
  readonly text: string;
  private readonly names: readonly string[];

  private constructor(text: string) {
    this.text = text;
    this.names = text
      .split('/')
      .slice(1)
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  }

  /** The pointer of that text, or null when it is none. */
  static read(text: string): JsonPointer | null {
    return POINTER.test(text) ? new JsonPointer(text) : null;
  }

  /** What is there; undefined when nothing is. */
  find(document: unknown): unknown {
    let found = document;
    for (const name of this.names) {
      if (typeof found !== 'object' || found === null) return undefined;
      if (Array.isArray(found) && !INDEX.test(name)) return undefined;
      found = Object.hasOwn(found, name) ? (found as Readonly<Record<string, unknown>>)[name] : undefined;
    }
    return found;
  }
}
