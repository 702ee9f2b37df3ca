// The part of `millrace describe` that says where a topology is stuck and why: what each component does now, with the
// figures that it follows from, and what its code measures itself. Pure.

import type { ComponentSnapshot, TopologyMetrics } from '../../engine/metrics/snapshot.js';
import { formatCount, formatShort } from './numbers.js';
import { alignRows } from './table.js';

const COLUMNS = ['component', 'now', 'busy', 'capacity', 'queue', 'outbox', 'stalled', 'stale', 'restarts'] as const;
const USER_METRICS_SHOWN = 40;

/** A table, one component a row. */
export function formatConditions({ components, workers }: TopologyMetrics): string[] {
  const rows = Object.entries(components).map(([id, component]) => formatComponent(id, component));
  const busy = workers.map(({ busy: { '10s': share } }) => percent(share)).join(', ');
  return [...alignRows([COLUMNS, ...rows], 2), '', `workers busy in the last 10 s: ${busy}`];
}

function formatComponent(id: string, component: ComponentSnapshot): string[] {
  const { condition, kind, windows, queued, queueFill, outbox, stale, restarts } = component;
  const { busy, capacity, stalled } = windows['10s'];
  return [
    id,
    condition.text,
    percent(busy),
    percent(capacity),
    kind === 'spout' ? '-' : `${formatShort(queued)} (${percent(queueFill)})`,
    formatShort(outbox),
    percent(stalled),
    formatCount(stale),
    formatCount(restarts),
  ];
}

/** A heading and a line a metric; nothing when there is none. */
export function formatUserMetrics({ components }: TopologyMetrics): string[] {
  const lines = Object.entries(components).flatMap(([id, { user }]) => [
    ...Object.entries(user.counters).map(([name, value]) => `  ${id}: ${name} ${shownNumber(value)}`),
    ...Object.entries(user.gauges).map(([name, value]) => `  ${id}: ${name} ${shownNumber(value)}`),
    ...Object.entries(user.histograms).map(([name, { count, p50, p99, max }]) => {
      const shares = count === 0 ? '' : `, p50 ${shownNumber(p50)}, p99 ${shownNumber(p99)}, max ${shownNumber(max)}`;
      return `  ${id}: ${name} ${formatCount(count)} recorded${shares}`;
    }),
  ]);
  if (lines.length === 0) return [];
  const more = lines.length - USER_METRICS_SHOWN;
  return [
    '',
    'measured by its code:',
    ...lines.slice(0, USER_METRICS_SHOWN),
    ...(more > 0 ? [`  and ${formatCount(more)} more; --json shows all`] : []),
  ];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function shownNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
