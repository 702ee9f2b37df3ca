// One entry of the catalogue of errors (errors.ts): the status, and the templates of the message and the hint. `{name}`
// in a template marks what the thrower fills in, and is what the types of errors.ts ask for. Pure types, any thread.

/** How errors of one code look. */
export interface Entry {
  /** HTTP status when this error answers a request. */
  readonly status: number;
  /** Names the thing in quotes. */
  readonly message: string;
  /** Says what to do. */
  readonly hint: string;
}
