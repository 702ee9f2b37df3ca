// A path for the directory of a cluster, whose processes end and which is removed with the test.

import type { Test } from 'tap';
import { guarded } from '../../coordination/ensemble/running.js';

export function guardedCluster(t: Test): string {
  const { directory, release } = guarded('try', new URL('./guard.js', import.meta.url));
  t.teardown(release);
  return directory;
}
