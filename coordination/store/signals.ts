// Waiting for signals and times without leaving listeners behind: a session lives long, and what waits for its end
// comes and goes. Any thread.

import type { Clock } from '../../engine/clock.js';

/** Calls once as soon as one of them is aborted, at once when one is; what comes back takes the listeners away. */
export function whenAborted(signals: readonly AbortSignal[], call: () => void): () => void {
  const off = (): void => signals.forEach((signal) => signal.removeEventListener('abort', heard));
  const heard = (): void => {
    off();
    call();
  };
  if (signals.some((signal) => signal.aborted)) call();
  else for (const signal of signals) signal.addEventListener('abort', heard);
  return off;
}

/** Resolves when one of them is aborted. */
export async function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  await new Promise<void>((resolve) => whenAborted(signals, resolve));
}

/** Resolves after that time, or as soon as the signal is aborted. */
export async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = clock.after(delayMs, () => {
      off();
      resolve();
    });
    const off = whenAborted([signal], () => {
      timer.cancel();
      resolve();
    });
  });
}
