// What `millrace member` works with in a real process: its standard error, its signals, the machine's clock, esbuild
// and the engine. Main thread.

import { RealClock } from '../../engine/clock.js';
import { openTopologyFile } from '../topology-file.js';
import type { MemberEnvironment } from './member.js';
import { listenForSignals } from './signals.js';

/** The environment of this process. */
export function memberEnvironment(): MemberEnvironment {
  return {
    clock: new RealClock(),
    say: (line) => void process.stderr.write(`${line}\n`),
    onSignal: listenForSignals,
    open: async (file) => await openTopologyFile(file, {}),
    serve: async (options) => {
      const { Member } = await import('../../engine/worker/remote/member.js');
      await new Member(options).serve();
    },
    exitNow: (exitCode) => process.exit(exitCode),
  };
}
