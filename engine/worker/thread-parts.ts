// What a worker has of the thread that it runs in, where it has one for itself: in a test several may share one, and
// have none of this. Types only.

import type { Pulse } from './supervision/pulse.js';
import type { ComponentCode } from './supervision/suspect.js';

/** What a worker is lent by the thread that it is for. */
export interface ThreadParts {
  /** Told how many characters it logged; may hold its thread up. */
  readonly said: (characters: number) => void;
  readonly pulse: Pulse;
  /** Filled with the code of its components, for the thread's last words. */
  readonly code: ComponentCode[];
}
