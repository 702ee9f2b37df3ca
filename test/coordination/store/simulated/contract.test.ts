// The simulated store passes the suite of the contract: when everything is at once, and when everything takes its time.

import { VirtualClock } from '../../../../engine/clock.js';
import type { SimulatedFaults } from '../../../../coordination/store/simulated/faults.js';
import { SimulatedStore } from '../../../../coordination/store/simulated/simulated-store.js';
import { contractSuite, type Opened } from '../contract.js';
import { runClock } from './running-clock.js';

async function opened(seed: number, faults: Partial<SimulatedFaults>): Promise<Opened> {
  const clock = new VirtualClock();
  const running = runClock(clock);
  const store = new SimulatedStore({ clock, seed, faults });
  return {
    store,
    expire: (session) => store.expire(session.id),
    close: async () => {
      await store.close();
      running.stop();
    },
  };
}

const late: Partial<SimulatedFaults> = { delayMs: [1, 20], lagMs: [0, 100], watchDelayMs: [0, 50] };

contractSuite('simulated', () => opened(1, {}));
for (const seed of [2, 3, 4]) contractSuite(`simulated, with delays (seed ${seed})`, () => opened(seed, late));
