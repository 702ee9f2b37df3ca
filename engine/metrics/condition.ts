// Says in one line what a task does, or what keeps it from doing it, so that whoever looks knows in seconds where a
// topology is stuck and why. Follows from figures of the last ten seconds alone. Pure.
//
//   ended │ broken │ inactive │ starting       what it is for good, or until somebody changes it
//   blocked          a target is full: look at that one
//   waiting-for-acks its trees are not done: look at the bolts below it
//   calls-full       as many asynchronous calls are under way as it may have
//   busy             it needs nearly all of its thread
//   backlogged       it has more input than its share of a busy thread can take
//   flowing │ idle   nothing is wrong

export type ConditionState =
  | 'ended'
  | 'broken'
  | 'inactive'
  | 'starting'
  | 'blocked'
  | 'waiting-for-acks'
  | 'calls-full'
  | 'busy'
  | 'backlogged'
  | 'flowing'
  | 'idle';

export interface Condition {
  readonly state: ConditionState;
  /** In words: `blocked by count#1 (its mailbox is full), 97 % of the last 10 s`. */
  readonly text: string;
}

/** What a condition follows from. Shares are of the window. */
export interface TaskFacts {
  readonly kind: 'spout' | 'bolt';
  readonly runState: string;
  readonly ended: boolean;
  readonly broken: boolean;
  /** What is full, or was last, as it is shown; null: nothing ever was. */
  readonly blocker: string | null;
  readonly blockedNow: boolean;
  readonly stalled: number;
  readonly waitsForAcksNow: boolean;
  readonly waitedForAcks: number;
  readonly openTrees: number;
  readonly openTreesMax: number;
  readonly calls: number;
  readonly concurrency: number;
  /** The share of its concurrency that was under way. */
  readonly callsShare: number;
  readonly busy: number;
  readonly workerBusy: number;
  readonly worker: number;
  readonly queued: number;
  readonly queueFill: number;
  /** Emitted by a spout, executed by a bolt. */
  readonly perSecond: number;
  readonly windowSeconds: number;
}

/** The worst first. */
const ORDER: readonly ConditionState[] = [
  'broken',
  'blocked',
  'waiting-for-acks',
  'calls-full',
  'busy',
  'backlogged',
  'starting',
  'flowing',
  'idle',
  'inactive',
  'ended',
];

/** Shares of a window from which on they say what a task does. */
const MOSTLY = 0.5;
const NEARLY_ALL = 0.8;
const FULL = 0.95;

export function conditionOf(facts: TaskFacts): Condition {
  return standing(facts) ?? held(facts) ?? working(facts);
}

/** What holds whatever its figures say. */
function standing({ kind, runState, ended, broken }: TaskFacts): Condition | null {
  if (broken) return { state: 'broken', text: 'gave up after an error that no replay can help' };
  if (ended) return { state: 'ended', text: kind === 'spout' ? 'ended: nothing more comes' : 'ended' };
  if (runState === 'starting') return { state: 'starting', text: 'starting: not all tasks are prepared' };
  if (runState === 'standby' && kind === 'spout') {
    return { state: 'inactive', text: 'stands by: opened when the version before this one has let go' };
  }
  if (runState === 'aside' && kind === 'spout') {
    return { state: 'inactive', text: 'stands aside for another version' };
  }
  if (runState === 'inactive' && kind === 'spout') return { state: 'inactive', text: 'deactivated' };
  if (runState === 'completed' || runState === 'killed' || runState === 'failed') {
    return { state: 'ended', text: 'ended' };
  }
  return null;
}

/** What others keep it from. */
function held(facts: TaskFacts): Condition | null {
  const { blocker, blockedNow, stalled, waitsForAcksNow, waitedForAcks, openTrees, openTreesMax } = facts;
  const span = spanOf(facts);
  if (blocker !== null && (stalled >= MOSTLY || (blockedNow && facts.perSecond === 0))) {
    return { state: 'blocked', text: `blocked by ${blocker}, ${percent(stalled)} of ${span}` };
  }
  if (waitedForAcks >= MOSTLY || (waitsForAcksNow && facts.perSecond === 0)) {
    const trees = `${shownCount(openTrees)} of ${shownCount(openTreesMax)} trees open`;
    return { state: 'waiting-for-acks', text: `waits for acks, ${percent(waitedForAcks)} of ${span}: ${trees}` };
  }
  if (facts.callsShare < FULL && (facts.calls < facts.concurrency || facts.perSecond > 0)) return null;
  return { state: 'calls-full', text: `waits for its calls: ${facts.calls} of ${facts.concurrency} under way` };
}

function working(facts: TaskFacts): Condition {
  const { kind, busy, workerBusy, worker, queued, queueFill, perSecond } = facts;
  if (busy >= NEARLY_ALL) return { state: 'busy', text: `busy ${percent(busy)}` };
  if (queueFill >= MOSTLY || (queued > 0 && perSecond === 0 && kind === 'bolt')) {
    const share = `worker ${worker} is busy ${percent(workerBusy)}, ${percent(busy)} of it here`;
    return { state: 'backlogged', text: `${shownCount(queued)} tuples wait: ${share}` };
  }
  if (perSecond > 0) {
    const what = kind === 'spout' ? 'emits' : 'executes';
    return { state: 'flowing', text: `${what} ${shownRate(perSecond)} a second, busy ${percent(busy)}` };
  }
  return { state: 'idle', text: kind === 'spout' ? 'idle: has nothing to emit' : 'idle: no input' };
}

/** Of a component: what the worst of its tasks does, and how many do the same. */
export function worstOf(conditions: readonly Condition[]): Condition {
  let worst: Condition = { state: 'ended', text: 'has no tasks' };
  let rank = ORDER.length;
  for (const condition of conditions) {
    if (ORDER.indexOf(condition.state) >= rank) continue;
    worst = condition;
    rank = ORDER.indexOf(condition.state);
  }
  const alike = conditions.filter(({ state }) => state === worst.state).length;
  if (conditions.length <= 1) return worst;
  return { state: worst.state, text: `${alike} of ${conditions.length} tasks: ${worst.text}` };
}

function spanOf({ windowSeconds }: TaskFacts): string {
  return windowSeconds >= 1 ? `the last ${Math.round(windowSeconds)} s` : 'the last second';
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function shownCount(count: number): string {
  return count.toLocaleString('en-US');
}

function shownRate(perSecond: number): string {
  return perSecond >= 10 ? Math.round(perSecond).toLocaleString('en-US') : perSecond.toPrecision(2);
}
