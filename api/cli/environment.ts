// What `millrace run` works with in a real process: its streams, its signals, the machine's clock, esbuild and the
// engine. The engine is loaded while the topology is still being bundled, to save the time. Main thread.

import { RealClock } from '../../engine/clock.js';
import { readDefinition } from '../definition.js';
import { openTopologyFile } from '../topology-file.js';
import type { RunEnvironment } from './run.js';
import { listenForSignals } from './signals.js';

/** The environment of this process. */
export function processEnvironment(): RunEnvironment {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    clock: new RealClock(),
    onSignal: listenForSignals,
    open: openTopologyFile,
    read: async (source, options) => {
      // Its failure, if any, is told when it is needed below.
      loadEngine().catch(() => undefined);
      return await readDefinition(source, options);
    },
    createRun: async (options) => {
      const { TopologyRun } = await loadEngine();
      return new TopologyRun(options);
    },
    leadProcesses: async (options) => {
      const { leadProcesses } = await import('../../engine/worker/remote/known-processes.js');
      return await leadProcesses(options);
    },
    exitNow: (exitCode) => process.exit(exitCode),
  };
}

async function loadEngine(): Promise<typeof import('../../engine/worker/topology-run.js')> {
  return await import('../../engine/worker/topology-run.js');
}
