// Benchmarks that end in tables instead of sides that take turns. They are selected as sides are.

import { UsageError, type Selection } from './options.js';
import type { Timing } from './measured.js';
import type { TableReport } from './report.js';

export interface Table {
  /** What a selection on the command line may ask for: `growth/depth`. */
  readonly label: string;
  measure(timing: Timing): Promise<TableReport>;
}

/**
 * The tables that have one of these labels; all of them without a label.
 *
 * @throws UsageError when there is none
 */
export function selectedTables(tables: readonly Table[], { name, labels }: Selection): readonly Table[] {
  const found = labels.length === 0 ? tables : tables.filter(({ label }) => labels.includes(label));
  if (found.length > 0) return found;
  const known = tables.map(({ label }) => label).join(', ');
  throw new UsageError(`"${name}" has no table ${labels.join(' or ')}; its tables are ${known}`);
}
