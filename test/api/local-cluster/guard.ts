// A process that outlives a test process and ends the cluster that it started: also when that was killed with signal 9,
// nothing stays behind. Its standard input is a pipe from the test process, whose end is the end of that process.
//   node guard.js DIRECTORY

import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { killHost } from '../../../api/local-cluster/host-processes.js';
import { markOf } from '../../../api/local-cluster/local-cluster.js';
import { readState, zookeeperDirectory } from '../../../api/local-cluster/state.js';
import { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import { isMillraceError } from '../../../engine/errors.js';

const directory = process.argv[2]!;
for await (const _ of process.stdin);
try {
  for (const host of (await readState(directory))?.hosts ?? []) killHost(markOf(directory, host));
  await (await Ensemble.open(zookeeperDirectory(directory))).destroy();
} catch (error) {
  // The test has put something else there, or nothing was started.
  const codes = ['MILLRACE_ENSEMBLE_UNKNOWN', 'MILLRACE_ENSEMBLE_DIRECTORY', 'MILLRACE_CLUSTER_DIRECTORY'];
  if (!isMillraceError(error) || !codes.includes(error.code)) throw error;
}
await rm(dirname(directory), { recursive: true, force: true });
