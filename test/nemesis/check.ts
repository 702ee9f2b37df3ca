// Judges the log of a nemesis run. Pure: the same log, the same verdict. Each rule finds what breaks it:
//
//   held-twice       two hold a prize at once, or one token was held by two processes
//   token-backwards  who began to hold later has no higher token
//   write-backwards  a fenced write follows one with a higher token, in the order of the store's changes
//   revision-twice   two writes were acknowledged as the same change
//   watch-backwards  in one session a watch told of an older state after a newer one
//   watch-lost       who lived to the end was never told of the last state
//   late             a call had no answer in its time, and nothing had stopped its process
//   uncaught         an error that nobody caught
//   stuck            a process did not exit by itself, or not with 0

import type { NemesisEvent, Prize } from './events.js';

export interface Violation {
  readonly rule:
    | 'held-twice'
    | 'token-backwards'
    | 'write-backwards'
    | 'revision-twice'
    | 'watch-backwards'
    | 'watch-lost'
    | 'late'
    | 'uncaught'
    | 'stuck';
  readonly what: string;
}

export interface CheckOptions {
  /** How late an answer may be on a machine that is busy with everything at once. */
  readonly graceMs: number;
}

/** A prize in one pair of hands. */
export interface Hold {
  readonly prize: Prize;
  readonly who: string;
  readonly token: bigint;
  readonly fromMs: number;
  readonly toMs: number;
}

type Of<T extends NemesisEvent['type']> = Extract<NemesisEvent, { readonly type: T }>;

/** Everything that is wrong with a run. */
export function violationsIn(events: readonly NemesisEvent[], options: CheckOptions): readonly Violation[] {
  return [
    ...(['leader', 'lock'] as const).flatMap((prize) => [
      ...checkHolds(holdsOf(events, prize)),
      ...checkWrites(of(events, 'wrote').filter((event) => event.prize === prize)),
    ]),
    ...checkWatches(events),
    ...checkCalls(events, options),
    ...of(events, 'uncaught').map(({ who, message }) => violation('uncaught', `${who}: ${message}`)),
    ...of(events, 'stuck').map(({ whom }) => violation('stuck', `${whom} did not exit`)),
    ...checkExits(events),
  ];
}

/** Who held it from when to when, as far as they wrote it down, in the order of their beginnings. */
export function holdsOf(events: readonly NemesisEvent[], prize: Prize): readonly Hold[] {
  const holds = new Map<string, Hold>();
  for (const { who, atMs, prize: of, token } of inTime(events).filter(isHolding)) {
    if (of !== prize) continue;
    const key = `${who} ${token}`;
    const fromMs = holds.get(key)?.fromMs ?? atMs;
    holds.set(key, { prize, who, token: BigInt(token), fromMs, toMs: atMs });
  }
  return [...holds.values()].sort((a, b) => a.fromMs - b.fromMs);
}

function checkHolds(holds: readonly Hold[]): readonly Violation[] {
  const found: Violation[] = [];
  let last: Hold | null = null;
  for (const hold of holds) {
    if (last !== null && hold.fromMs <= last.toMs) {
      found.push(violation('held-twice', `${shown(last)} and ${shown(hold)}`));
    } else if (last !== null && hold.token <= last.token) {
      const rule = hold.token === last.token ? 'held-twice' : 'token-backwards';
      found.push(violation(rule, `${shown(hold)} after ${shown(last)}`));
    }
    if (last === null || hold.toMs > last.toMs) last = hold;
  }
  return found;
}

function checkWrites(writes: readonly Of<'wrote'>[]): readonly Violation[] {
  const found: Violation[] = [];
  const sorted = [...writes].sort((a, b) => compare(BigInt(a.revision), BigInt(b.revision)));
  for (const [at, write] of sorted.entries()) {
    const before = sorted[at - 1];
    if (before === undefined) continue;
    const what = `${write.who} wrote with token ${write.token} as change ${write.revision}, after ${before.who} with ${before.token} as ${before.revision}`;
    if (write.revision === before.revision) found.push(violation('revision-twice', what));
    if (BigInt(write.token) < BigInt(before.token)) found.push(violation('write-backwards', what));
  }
  return found;
}

function checkWatches(events: readonly NemesisEvent[]): readonly Violation[] {
  const found: Violation[] = [];
  const last = new Map<string, bigint>();
  const seen = new Map<string, bigint>();
  for (const { who, session, revision } of of(inTime(events), 'saw')) {
    const now = BigInt(revision);
    const before = last.get(`${who} ${session}`);
    if (before !== undefined && now < before) {
      found.push(violation('watch-backwards', `${who} saw change ${now} after ${before} in session ${session}`));
    }
    last.set(`${who} ${session}`, now);
    seen.set(who, now);
  }
  for (const { revision } of of(events, 'quiet')) {
    for (const who of living(events)) {
      const saw = seen.get(who);
      if (saw === BigInt(revision)) continue;
      found.push(violation('watch-lost', `${who} last saw ${saw === undefined ? 'nothing' : saw}, not ${revision}`));
    }
  }
  return found;
}

function checkCalls(events: readonly NemesisEvent[], { graceMs }: CheckOptions): readonly Violation[] {
  const answers = new Map(of(events, 'answered').map((event) => [`${event.who} ${event.call}`, event]));
  const ends = new Map<string, number>();
  for (const event of events) if (event.type === 'killed' || event.type === 'exited') ends.set(event.whom, event.atMs);
  const pauses = pausesIn(events);
  const lastMs = events.reduce((latest, { atMs }) => Math.max(latest, atMs), -Infinity);
  return of(events, 'asked').flatMap(({ who, call, what, timeoutMs, atMs }) => {
    const answer = answers.get(`${who} ${call}`);
    // Who is dead owes no answer; who was stopped owes it later.
    const untilMs = answer?.atMs ?? ends.get(who) ?? lastMs;
    const tookMs = untilMs - atMs - pausedMs(pauses.get(who) ?? [], atMs, untilMs);
    if (tookMs <= timeoutMs + graceMs) return [];
    const had = answer === undefined ? 'had no answer' : `ended with ${answer.outcome}`;
    return [violation('late', `${what} of ${who} ${had} after ${Math.round(tookMs)} ms instead of ${timeoutMs}`)];
  });
}

function checkExits(events: readonly NemesisEvent[]): readonly Violation[] {
  const killed = new Set(of(events, 'killed').map(({ whom }) => whom));
  return of(events, 'exited').flatMap(({ whom, code }) =>
    killed.has(whom) || code === 0 ? [] : [violation('stuck', `${whom} ended with ${String(code)}`)],
  );
}

interface Pause {
  readonly fromMs: number;
  toMs: number;
}

/** When processes were stopped by the runner. */
function pausesIn(events: readonly NemesisEvent[]): ReadonlyMap<string, readonly Pause[]> {
  const pauses = new Map<string, Pause[]>();
  for (const event of inTime(events)) {
    if (event.type === 'paused') {
      pauses.set(event.whom, [...(pauses.get(event.whom) ?? []), { fromMs: event.atMs, toMs: Infinity }]);
    } else if (event.type === 'resumed' || event.type === 'killed') {
      const last = pauses.get(event.whom)?.at(-1);
      if (last?.toMs === Infinity) last.toMs = event.atMs;
    }
  }
  return pauses;
}

/** How much of that time was within them. */
function pausedMs(pauses: readonly Pause[], fromMs: number, toMs: number): number {
  return pauses.reduce(
    (sum, pause) => sum + Math.max(0, Math.min(toMs, pause.toMs) - Math.max(fromMs, pause.fromMs)),
    0,
  );
}

/** Who was started and not killed. */
export function living(events: readonly NemesisEvent[]): readonly string[] {
  const killed = new Set(of(events, 'killed').map(({ whom }) => whom));
  return of(events, 'started').flatMap(({ whom }) => (killed.has(whom) ? [] : [whom]));
}

/** The events of one type. */
export function of<T extends NemesisEvent['type']>(events: readonly NemesisEvent[], type: T): readonly Of<T>[] {
  return events.filter((event): event is Of<T> => event.type === type);
}

function isHolding(event: NemesisEvent): event is Of<'holds'> {
  return event.type === 'holds';
}

function inTime(events: readonly NemesisEvent[]): readonly NemesisEvent[] {
  return [...events].sort((a, b) => a.atMs - b.atMs);
}

function violation(rule: Violation['rule'], what: string): Violation {
  return { rule, what };
}

function shown({ prize, who, token, fromMs, toMs }: Hold): string {
  return `${who} held ${prize} ${token} from ${fromMs.toFixed(1)} to ${toMs.toFixed(1)}`;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
