// What is written down in a nemesis run: by each contender in a file of its own, by the runner about what it does to
// them. All times are of one monotonic clock, which processes of a machine share. Revisions and tokens are text,
// because they are bigints.

/** What is contended for. */
export type Prize = 'leader' | 'lock';

/** What happened. */
export type NemesisFact =
  /** It believes at that moment that it holds the prize with that token. Written every few milliseconds. */
  | { readonly type: 'holds'; readonly prize: Prize; readonly token: string }
  /** Its fenced write was acknowledged, as that change of the store. */
  | { readonly type: 'wrote'; readonly prize: Prize; readonly token: string; readonly revision: string }
  /** Its fenced write was refused. */
  | { readonly type: 'refused'; readonly prize: Prize; readonly token: string; readonly code: string }
  /** It asks the store for something, which has to be answered in that time … */
  | { readonly type: 'asked'; readonly call: number; readonly what: string; readonly timeoutMs: number }
  /** … and has the answer: `ok` or the code of an error. */
  | { readonly type: 'answered'; readonly call: number; readonly outcome: string }
  /** Its watch told of the node that leaders write. */
  | { readonly type: 'saw'; readonly session: string; readonly revision: string }
  | { readonly type: 'uncaught'; readonly message: string }
  /** The runner does something to them. */
  | { readonly type: 'fault'; readonly fault: string; readonly target: string }
  | { readonly type: 'healed'; readonly fault: string }
  | { readonly type: 'started'; readonly whom: string }
  | { readonly type: 'paused'; readonly whom: string }
  | { readonly type: 'resumed'; readonly whom: string }
  | { readonly type: 'killed'; readonly whom: string }
  | { readonly type: 'exited'; readonly whom: string; readonly code: number | null }
  /** It did not exit by itself when it was asked to. */
  | { readonly type: 'stuck'; readonly whom: string }
  /** Nobody writes any more, and this was the last change. */
  | { readonly type: 'quiet'; readonly revision: string };

/** What happened when, to whom: a process, named anew each time that it starts. */
export type NemesisEvent = NemesisFact & { readonly atMs: number; readonly who: string };

/** Milliseconds of the clock that all processes of the machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
