// Every recipe on the embedded store, and on the simulated one: at once, late, and with calls that fail and answers
// that get lost by chance.

import { VirtualClock } from '../../../engine/clock.js';
import type { Store } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import type { SimulatedFaults } from '../../../coordination/store/simulated/faults.js';
import { SimulatedStore } from '../../../coordination/store/simulated/simulated-store.js';
import { runClock } from '../store/simulated/running-clock.js';
import { recipesSuite, type OpenedStore } from './suite.js';

/** A store in memory, whose sessions the test can end. */
interface InMemory extends Store {
  expire(session: string): Promise<void>;
  close(): Promise<void>;
}

/** On virtual time that goes on by itself until the store is closed. */
async function opened(make: (clock: VirtualClock) => InMemory | Promise<InMemory>): Promise<OpenedStore> {
  const clock = new VirtualClock();
  const running = runClock(clock);
  const store = await make(clock);
  return {
    store,
    clock,
    expire: (session) => store.expire(session.id),
    close: async () => {
      await store.close();
      running.stop();
    },
  };
}

const embedded = (): Promise<OpenedStore> => opened((clock) => EmbeddedStore.open({ directory: null, clock }));

const simulated = (seed: number, faults: Partial<SimulatedFaults>): Promise<OpenedStore> =>
  opened((clock) => new SimulatedStore({ clock, seed, faults }));

const late: Partial<SimulatedFaults> = { delayMs: [1, 20], lagMs: [0, 100], watchDelayMs: [0, 50] };
const failing: Partial<SimulatedFaults> = { ...late, refusedShare: 0.05, brokenShare: 0.05 };

recipesSuite('embedded', embedded);
recipesSuite('simulated', () => simulated(1, {}));
for (const seed of [2, 3]) recipesSuite(`simulated, with delays (seed ${seed})`, () => simulated(seed, late));
for (const seed of [4, 5, 6]) recipesSuite(`simulated, with faults (seed ${seed})`, () => simulated(seed, failing));
