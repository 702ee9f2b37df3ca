// What the throw-away thread that reads a definition and the thread that started it say to each other: tagged plain
// data, because errors that are thrown across threads lose their name and code. Pure, both threads.

import type { WireError } from '../engine/errors.js';
import type { TopologyDescription } from '../engine/model/describe.js';
import type { TopologySource } from '../engine/worker/module.js';

/** Given to the thread when it starts. */
export interface DefinitionRequest {
  readonly source: TopologySource;
  /** What the topology's file is called in errors. */
  readonly file: string;
}

/** What came of reading the definition; the first message counts. */
export type DefinitionMessage =
  | { readonly kind: 'millrace.definition.read'; readonly description: TopologyDescription }
  | { readonly kind: 'millrace.definition.threw'; readonly error: WireError }
  | { readonly kind: 'millrace.definition.rejected'; readonly error: WireError }
  /** The thread has nothing left to do, and yet the module is not read: it waits for what never comes. */
  | { readonly kind: 'millrace.definition.unsettled' }
  | { readonly kind: 'millrace.definition.exited'; readonly exitCode: number; readonly stack: string | null };

/** Whether something that the thread posted is one of ours: user code can post to the same port. */
export function isDefinitionMessage(value: unknown): value is DefinitionMessage {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  return typeof value.kind === 'string' && value.kind.startsWith('millrace.definition.');
}
