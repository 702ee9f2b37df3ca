// What a wish tells the master of a topology's settings: where it may run and what comes first. The master reads no
// payloads, so it stands in the wish itself; what is as it is without settings is left out. Pure.

import type { TopologyDescription } from '../engine/model/describe.js';
import { groupComponents, type WorkerGroup } from '../engine/model/worker-groups.js';
import { hasKeys } from './store/json-node.js';

/** Where a topology may run, and what for. */
export interface Placing {
  /** Its workers are on hosts with all of these only. Left out: on any. */
  readonly hostLabels?: readonly string[];
  /** Higher ones are placed first, and take slots from lower ones. Left out: 0. */
  readonly priority?: number;
  /** It spreads onto hosts that come by itself. Left out: false. */
  readonly autoRebalance?: boolean;
  /** What its workers are made for (engine/model/worker-groups.ts). Left out: each for everything. */
  readonly groups?: readonly WorkerGroup[];
}

/** What its settings say, or undefined when they say nothing. */
export function placingOf({ config, components }: TopologyDescription): Placing | undefined {
  const { hostLabels, priority, autoRebalance } = config;
  const { groups } = groupComponents(components);
  const isPlain = groups.every(({ labels, apart }) => labels.length === 0 && apart.length === 0);
  const placing: Placing = {
    ...(hostLabels.length > 0 && { hostLabels }),
    ...(priority !== 0 && { priority }),
    ...(autoRebalance && { autoRebalance }),
    ...(!isPlain && { groups }),
  };
  return Object.keys(placing).length === 0 ? undefined : placing;
}

export function isPlacing(value: unknown): value is Placing {
  if (typeof value !== 'object' || value === null) return false;
  const { hostLabels = [], priority = 0, autoRebalance = false, groups } = value as Readonly<Record<string, unknown>>;
  return (
    isTexts(hostLabels) &&
    typeof priority === 'number' &&
    typeof autoRebalance === 'boolean' &&
    (groups === undefined || areGroups(groups))
  );
}

function areGroups(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every(
    (group) =>
      hasKeys(group, 'labels', 'tasks', 'apart') &&
      isTexts(group.labels) &&
      Number.isInteger(group.tasks) &&
      Array.isArray(group.apart) &&
      group.apart.every((other) => Number.isInteger(other) && value[other as number] !== undefined),
  );
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
