// What can go wrong with a request to a host, and with the host that answers it. Part of the catalogue in errors.ts,
// which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const apiErrors = {} as const satisfies Record<string, Entry>;
