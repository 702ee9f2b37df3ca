// Numbers as people read them: counts, durations and rates, the same in the progress line, the summary and reports.
// Always in English, whatever the locale, so that what is read here can be compared and searched for. Pure.

/** A count with its thousands apart: `21,930`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** A count in four characters or so: `940`, `12.5k`, `1.2M`. */
export function formatShort(count: number): string {
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (count >= size) return `${trim(count / size)}${unit}`;
  }
  return String(Math.round(count));
}

/** Milliseconds: `<0.01 ms`, `0.42 ms`, `3.1 ms`, `250 ms`, `12 s`. */
export function formatMs(ms: number): string {
  if (ms >= 10_000) return `${Math.round(ms / 1000)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 10) return `${Math.round(ms)} ms`;
  if (ms > 0 && ms < 0.01) return '<0.01 ms';
  return `${ms >= 1 ? ms.toFixed(1) : ms.toFixed(2)} ms`;
}

/** Seconds that a run took: `0.84 s`, `12.3 s`, `4 min 5 s`, `2 h 4 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function trim(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '');
}
