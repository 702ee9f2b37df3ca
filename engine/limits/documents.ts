// The bounds of what comes from outside as a document, part of engine/limits.ts. Apart, because the bounds of the HTTP
// interface build on them.

/** A topology document, before it is parsed. */
export const DOCUMENT_BYTES_MAX = 1024 * 1024;
