// Durations as people write them: "30s", "1.5m", or milliseconds as a number. Inside the engine a time is always a
// whole number of milliseconds, within what a timer of the machine can wait; here is the one place where text becomes
// such a number. Pure, any thread.

import { DURATION_MAX_MS } from '../limits.js';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a duration in text matches. */
export const DURATION_PATTERN = '^[0-9]{1,10}(\\.[0-9]{1,6})?(ms|s|m|h|d)$';

const DURATION = new RegExp(DURATION_PATTERN);

/** Text such as `"500ms"`, `"30s"`, `"1.5m"`, `"1h"`, `"1d"`, or whole milliseconds. */
export type Duration = string | number;

/** Its milliseconds, a whole number from 1 to `DURATION_MAX_MS`; null when it is not a duration or not within these. */
export function readDurationMs(value: unknown): number | null {
  const ms = typeof value === 'string' ? parseMs(value) : value;
  return isDurationMs(ms) ? ms : null;
}

/** Whether that is a number of milliseconds that a timer can wait. */
export function isDurationMs(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= DURATION_MAX_MS;
}

function parseMs(text: string): number {
  const unit = DURATION.exec(text)?.[2];
  if (unit === undefined) return Number.NaN;
  const ms = Number(text.slice(0, -unit.length)) * (UNITS_MS[unit] ?? Number.NaN);
  // 0.29 s is 290 ms, not 289.99999999999994.
  const whole = Math.round(ms);
  return Math.abs(ms - whole) < 1e-6 ? whole : ms;
}
