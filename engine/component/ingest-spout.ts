// How records from outside reach a spout: the worker hands them over by this door, and hears what became of each. Known
// by a registered symbol and never by `instanceof`, because a bundle carries a copy of the built-in spout of its own.
// Types and a test only, any thread.

import type { FailCause, Spout } from './spout.js';
import type { Values } from './tuple.js';

/** Marks a spout that takes records from outside, across copies of this package. */
export const INGEST = Symbol.for('millrace.ingest');

/** What became of a record: its tree was acked, failed for that cause, or it was never emitted. */
export type IngestOutcome = 'acked' | FailCause | 'refused';

/** Told once for each record; a second word about it is not heard. */
export type IngestAnswer = (call: number, outcome: IngestOutcome, reason: string | null) => void;

/** Takes one record, known by a number. */
export type IngestDoor = (call: number, values: Values) => void;

export interface IngestSpout extends Spout {
  /** Called once, before `open`. */
  [INGEST](answer: IngestAnswer): IngestDoor;
}

export function isIngestSpout(spout: Spout): spout is IngestSpout {
  return typeof (spout as Partial<IngestSpout>)[INGEST] === 'function';
}
