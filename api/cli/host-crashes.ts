// Of what a host process crashes over and over: what ran each time, when it crashed last. Code of a component cannot
// end the process, but native code can, and a topology that does so whenever it is started would be a loop. Pure, in
// the parent process.
//
//   crash  crash  crash      a topology that ran at all of the last `HOST_CRASHES_MAX`, within the window, is suspected;
//   a b    a b c  a c   ─► a

import { HOST_CRASHES_MAX, HOST_CRASHES_WINDOW_MS } from '../../engine/limits.js';

/** What a crash in native code ends a process with. A process that somebody killed did not crash. */
const CRASHES: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);

/** The process crashed by itself. */
export function isCrash(signal: NodeJS.Signals | null): boolean {
  return signal !== null && CRASHES.has(signal);
}

export class HostCrashes {
  private last: { readonly atMs: number; readonly running: readonly string[] }[] = [];

  /** The host process crashed while those submissions ran. */
  add(nowMs: number, running: readonly string[]): void {
    this.last.push({ atMs: nowMs, running });
    this.last = this.last.slice(-HOST_CRASHES_MAX);
  }

  /** Those that ran at each of the last crashes. */
  get suspects(): readonly string[] {
    const [first] = this.last;
    if (first === undefined || this.last.length < HOST_CRASHES_MAX) return [];
    if (this.last.at(-1)!.atMs - first.atMs > HOST_CRASHES_WINDOW_MS) return [];
    return first.running.filter((id) => this.last.every(({ running }) => running.includes(id)));
  }
}
