// What `millrace host` works with in a real process: its streams, its signals and the machine's clock. Main thread of
// the parent.

import { RealClock } from '../../engine/clock.js';
import type { HostEnvironment } from './host.js';
import { Output } from './output.js';
import { listenForSignals } from './signals.js';

/** The environment of this process. */
export function hostEnvironment(json: boolean, start: HostEnvironment['start']): HostEnvironment {
  const { stdout, stderr } = process;
  return {
    output: new Output({ stdout, stderr, json, onReaderGone: () => undefined }),
    clock: new RealClock(),
    onSignal: listenForSignals,
    start,
    endSession: async (servers, { id, password }) => {
      const { ZookeeperStore } = await import('../../coordination/store/zookeeper/zookeeper-store.js');
      await new ZookeeperStore({ servers }).endSession(id, password);
    },
  };
}
