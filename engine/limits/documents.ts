// The bounds of what comes from outside as a document, part of engine/limits.ts.
// Apart, because the HTTP interface has the same one.

/** A topology document, before it is parsed. */
export const DOCUMENT_BYTES_MAX = 1024 * 1024;
