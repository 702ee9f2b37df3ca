// What can go wrong with the store and with what is built on it: sessions, masters, assignments, artifacts. Part of the
// catalogue in errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const coordinationErrors = {} as const satisfies Record<string, Entry>;
