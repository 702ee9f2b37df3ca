// The signals that end a command, from the process. Listened for to its end, so that none cuts off what is being
// written. Main thread.

import { SIGNAL_EXITS, type EndSignal } from './exit.js';

/** Calls for each of them, to the end of the process. */
export function listenForSignals(listener: (signal: EndSignal) => void): void {
  for (const signal of Object.keys(SIGNAL_EXITS) as EndSignal[]) process.on(signal, listener);
}
