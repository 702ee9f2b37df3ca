// 200,000 flights as rows. They name no airline and no airport: the distance, of which there are 1,079, is the key, as
// it stands for the pairs of airports that are so far apart.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export type Flight = readonly [distance: number, delay: number, time: number];

interface FlightRecord {
  readonly distance: number;
  readonly delay: number;
  readonly time: number;
}

export function flights(): readonly Flight[] {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const text = readFileSync(join(dirname(entry), '..', 'data', 'flights-200k.json'), 'utf8');
  const records = JSON.parse(text) as readonly FlightRecord[];
  return records.map(({ distance, delay, time }) => [distance, delay, time]);
}
