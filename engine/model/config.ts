// The settings of a whole topology: read from what a user wrote (`messageTimeout: "30s"`), with defaults filled in and
// every wrong one reported, and checked again once they are numbers. A wrong setting is replaced by its default, so
// that reading can go on and report the rest. Pure, any thread.

import {
  DURATION_MAX_MS,
  KEY_GROUPS_MAX,
  LABELS_MAX,
  NAME_LENGTH_MAX,
  PRIORITY_MAX,
  STALL_TIMEOUT_MS,
  WORKERS_MAX,
  WORKER_MB_MAX,
  WORKER_MB_MIN,
  runtimeLimits,
} from '../limits.js';
import { PLACEMENTS, type Placement, type TopologyConfig } from './definition.js';
import type { Duration } from './duration.js';
import { isDurationMs, readDurationMs } from './duration.js';
import { isName, keyPath, shown } from './names.js';
import type { ProblemList } from './problems.js';
import { listed } from './suggest.js';

/** The settings of a topology as they are written. */
export interface TopologySettings {
  /** Workers (threads) to spread the tasks over. Default 1. */
  readonly workers?: number;
  /**
   * Time without progress after which an open tree fails: `"30s"`, milliseconds; `null` or `false` for never. Default
   * 30 s.
   */
  readonly messageTimeout?: Duration | null | false;
  /** Open trees at which a spout task rests, or null for the engine's own bound. Default null. */
  readonly maxSpoutPending?: number | null;
  /**
   * Whether trees are tracked; without it each `ack(id)` follows its emit, whatever became of the tuple. Default true.
   */
  readonly tracking?: boolean;
  /** Into how many groups keys are hashed: no bolt with fields grouping can have more tasks. Default 1,024. */
  readonly keyGroups?: number;
  /**
   * Time after which a worker whose code never lets go of its thread is replaced: `"10s"`, milliseconds; `null` or
   * `false` for never. Default 10 s.
   */
  readonly stallTimeout?: Duration | null | false;
  /** Megabytes of heap at which a worker is replaced; null for its share of the machine's memory. Default null. */
  readonly workerHeapMb?: number | null;
  /**
   * Megabytes in buffers, which the heap does not count, at which a worker is replaced; null for its share of the
   * machine's memory. Default null.
   */
  readonly workerBuffersMb?: number | null;
  /**
   * Where tasks go that whole rounds over the workers leave over: `together` puts them beside what they take from, so
   * that tuples stay in one worker; `spread` puts them where the fewest tasks are, for chains whose bolts do heavy
   * work. Default `together`.
   */
  readonly placement?: Placement;
  /** Labels that a host must have, all of them, to run any of it. Default none: every host may. */
  readonly hostLabels?: readonly string[];
  /**
   * Whole number, below 0 too: where slots are short, topologies of higher priority get them first, and take them from
   * lower ones that run. Default 0.
   */
  readonly priority?: number;
  /** Whether it spreads onto hosts that join, without being asked to by a rebalance. Default false. */
  readonly autoRebalance?: boolean;
}

export const defaultConfig: TopologyConfig = {
  workers: 1,
  messageTimeoutMs: 30_000,
  maxSpoutPending: null,
  tracking: true,
  keyGroups: 1024,
  stallTimeoutMs: STALL_TIMEOUT_MS,
  workerHeapMb: null,
  workerBuffersMb: null,
  placement: 'together',
  hostLabels: [],
  priority: 0,
  autoRebalance: false,
};

/** The keys of {@link TopologySettings}. */
export const CONFIG_KEYS = [
  'workers',
  'messageTimeout',
  'maxSpoutPending',
  'tracking',
  'keyGroups',
  'stallTimeout',
  'workerHeapMb',
  'workerBuffersMb',
  'placement',
  'hostLabels',
  'priority',
  'autoRebalance',
] as const;
export type ConfigKey = (typeof CONFIG_KEYS)[number];

export function isConfigKey(key: string): key is ConfigKey {
  return (CONFIG_KEYS as readonly string[]).includes(key);
}

/** Reads settings over those that hold without them. `pathOf` says where a key stands, for the problems. */
export function readConfig(
  settings: Readonly<Record<string, unknown>>,
  base: TopologyConfig,
  pathOf: (key: string) => string,
  problems: ProblemList,
): TopologyConfig {
  for (const key of Object.keys(settings)) {
    if (isConfigKey(key)) continue;
    const known = listed(CONFIG_KEYS);
    const near = { name: key, known: CONFIG_KEYS };
    problems.add('MILLRACE_CONFIG_UNKNOWN_KEY', pathOf(key), { owner: 'a topology', key, known }, near);
  }
  const given = (key: ConfigKey): unknown => (Object.hasOwn(settings, key) ? settings[key] : undefined);
  const orElse = (key: ConfigKey, before: unknown): unknown => (given(key) === undefined ? before : given(key));
  const timeoutOr = (key: ConfigKey, before: unknown): unknown => (given(key) === false ? null : orElse(key, before));
  const candidate = {
    workers: given('workers') ?? base.workers,
    messageTimeoutMs: timeoutOr('messageTimeout', base.messageTimeoutMs),
    maxSpoutPending: orElse('maxSpoutPending', base.maxSpoutPending),
    tracking: given('tracking') ?? base.tracking,
    keyGroups: given('keyGroups') ?? base.keyGroups,
    stallTimeoutMs: timeoutOr('stallTimeout', base.stallTimeoutMs),
    workerHeapMb: orElse('workerHeapMb', base.workerHeapMb),
    workerBuffersMb: orElse('workerBuffersMb', base.workerBuffersMb),
    placement: given('placement') ?? base.placement,
    hostLabels: given('hostLabels') ?? base.hostLabels,
    priority: given('priority') ?? base.priority,
    autoRebalance: given('autoRebalance') ?? base.autoRebalance,
  };
  return checkedConfig(candidate, base, pathOf, problems);
}

/** A config whose values may be anything. */
export type ConfigCandidate = Readonly<Record<keyof TopologyConfig, unknown>>;

/** Checks every value; a wrong one is reported and replaced by that of `base`. */
export function checkedConfig(
  candidate: ConfigCandidate,
  base: TopologyConfig,
  pathOf: (key: string) => string,
  problems: ProblemList,
): TopologyConfig {
  const { workers, messageTimeoutMs, maxSpoutPending, tracking, keyGroups, stallTimeoutMs } = candidate;
  // A topology that was built by an older version lacks newer settings.
  const { workerHeapMb, workerBuffersMb, placement = defaultConfig.placement } = candidate;
  const { hostLabels = [], priority = defaultConfig.priority } = candidate;
  const { autoRebalance = defaultConfig.autoRebalance } = candidate;
  const whole = (key: ConfigKey, value: unknown, max: number): value is number =>
    checkWhole(problems, pathOf(key), key, value, 1, max);
  const timeout = (key: ConfigKey, value: unknown, before: number | null): number | null => {
    const ms = value === null ? null : readDurationMs(value);
    if (value === null || ms !== null) return ms;
    const details = { what: key, maxMs: DURATION_MAX_MS, orOff: ', or null for never', actual: shown(value) };
    problems.add('MILLRACE_TOPOLOGY_DURATION', pathOf(key), details);
    return before;
  };
  const megabytes = (key: ConfigKey, value: unknown, before: number | null): number | null =>
    value === null || checkWhole(problems, pathOf(key), key, value, WORKER_MB_MIN, WORKER_MB_MAX) ? value : before;
  const flag = (key: ConfigKey, value: unknown, before: boolean): boolean => {
    if (typeof value === 'boolean') return value;
    problems.add('MILLRACE_TOPOLOGY_FLAG', pathOf(key), { what: key, actual: shown(value) });
    return before;
  };
  if (!isPlacement(placement)) {
    const details = { known: listed(PLACEMENTS), actual: shown(placement) };
    const near = typeof placement === 'string' ? { name: placement, known: PLACEMENTS } : undefined;
    problems.add('MILLRACE_TOPOLOGY_PLACEMENT', pathOf('placement'), details, near);
  }
  return {
    workers: whole('workers', workers, WORKERS_MAX) ? workers : base.workers,
    messageTimeoutMs: timeout('messageTimeout', messageTimeoutMs, base.messageTimeoutMs),
    maxSpoutPending:
      maxSpoutPending === null || whole('maxSpoutPending', maxSpoutPending, runtimeLimits.openRootsMax)
        ? maxSpoutPending
        : base.maxSpoutPending,
    tracking: flag('tracking', tracking, base.tracking),
    keyGroups: whole('keyGroups', keyGroups, KEY_GROUPS_MAX) ? keyGroups : base.keyGroups,
    stallTimeoutMs: timeout('stallTimeout', stallTimeoutMs, base.stallTimeoutMs),
    workerHeapMb: megabytes('workerHeapMb', workerHeapMb, base.workerHeapMb),
    workerBuffersMb: megabytes('workerBuffersMb', workerBuffersMb, base.workerBuffersMb),
    placement: isPlacement(placement) ? placement : defaultConfig.placement,
    hostLabels: checkLabels(problems, pathOf('hostLabels'), 'hostLabels', hostLabels) ? hostLabels : base.hostLabels,
    priority: checkWhole(problems, pathOf('priority'), 'priority', priority, -PRIORITY_MAX, PRIORITY_MAX)
      ? priority
      : base.priority,
    autoRebalance: flag('autoRebalance', autoRebalance, base.autoRebalance),
  };
}

function isPlacement(value: unknown): value is Placement {
  return (PLACEMENTS as readonly unknown[]).includes(value);
}

/** Reports what is not a list of labels, each at its place. */
export function checkLabels(
  problems: ProblemList,
  path: string,
  what: string,
  value: unknown,
): value is readonly string[] {
  const report = (at: string, actual: string): void =>
    problems.add('MILLRACE_TOPOLOGY_LABELS', at, { what, labelsMax: LABELS_MAX, lengthMax: NAME_LENGTH_MAX, actual });
  if (!Array.isArray(value) || value.length > LABELS_MAX) {
    report(path, shown(value));
    return false;
  }
  const wrong = value.flatMap((label: unknown, index) => (isName(label) ? [] : [{ label, index }]));
  for (const { label, index } of wrong) report(`${path}[${index}]`, shown(label));
  return wrong.length === 0;
}

/** Reports what is not a whole number within these bounds. */
export function checkWhole(
  problems: ProblemList,
  path: string,
  what: string,
  value: unknown,
  min: number,
  max: number,
): value is number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return true;
  problems.add('MILLRACE_TOPOLOGY_NUMBER', path, { what, min, max, actual: shown(value) });
  return false;
}

/** Reports what is not a number of milliseconds, or null for none where that may be. */
export function checkDurationMs(problems: ProblemList, path: string, what: string, value: unknown): value is number {
  if (isDurationMs(value)) return true;
  const details = { what, maxMs: DURATION_MAX_MS, orOff: ', or null for none', actual: shown(value) };
  problems.add('MILLRACE_TOPOLOGY_DURATION', path, details);
  return false;
}

/** The version that a topology states, or null; what cannot be one is reported. */
export function readVersion(value: unknown, problems: ProblemList): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value.length > 0 && value.length <= NAME_LENGTH_MAX) return value;
  problems.add('MILLRACE_TOPOLOGY_VERSION', 'version', { lengthMax: NAME_LENGTH_MAX, actual: shown(value) });
  return null;
}

/** Where a key of the config stands in a topology: `config.workers`. */
export function configPath(key: string): string {
  return keyPath('config', key);
}
