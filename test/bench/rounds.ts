// Runs groups of sides in rounds. Machines change speed from minute to minute, so sides take turns, each going first in
// every second round, and only ratios within a round mean much.

import type { Group, Measured, Side, Timing } from './measured.js';
import { UsageError, type Selection } from './options.js';
import { sideReports, type SideReport } from './report.js';

/** Runs one group; tells of each side that has measured, because a round may take minutes. */
export async function runGroup(
  benchmark: string,
  group: Group,
  rounds: number,
  timing: Timing,
): Promise<readonly SideReport[]> {
  const all: Measured[][] = [];
  for (let round = 0; round < rounds; round++) {
    const measured = new Array<Measured>(group.length);
    const order = group.map((_, index) => (round % 2 === 0 ? index : group.length - 1 - index));
    for (const index of order) measured[index] = await group[index]!.measure(timing);
    all.push(measured);
  }
  return sideReports(benchmark, group, all);
}

/**
 * The groups with only those sides that have all of these labels, and the reference of each.
 *
 * @throws UsageError when there is none
 */
export function selected(groups: readonly Group[], { name, labels }: Selection): readonly Group[] {
  if (labels.length === 0) return groups;
  const has = (side: Side): boolean => labels.every((label) => side.labels.includes(label));
  const found = groups.flatMap(([reference, ...others]): Group[] => {
    const kept = others.filter(has);
    return kept.length > 0 || has(reference) ? [[reference, ...kept]] : [];
  });
  if (found.length > 0) return found;
  const known = new Set(groups.flatMap((group) => group.flatMap((side) => side.labels)));
  throw new UsageError(`"${name}" has no side with ${labels.join(' and ')}; its labels are ${[...known].join(', ')}`);
}
