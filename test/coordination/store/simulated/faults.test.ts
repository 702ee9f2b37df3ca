// Whatever happens to a simulated store and its clients: every call ends, what was refused was not done, a session's
// calls keep their order and its reads never go back, watches end with the last state, what is ephemeral goes with its
// session and not before, and the same seed gives the same run.

import fc from 'fast-check';
import t from 'tap';
import { World, type Step } from './world.js';

const client = fc.nat(2);
const server = fc.nat(2);
const does = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('write' as const, 'read' as const), client }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('ephemeral' as const, 'synced read' as const), client }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('guarded' as const), client, version: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('connect' as const), client }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(10, 100, 1000, 5000) }) },
);
const happens = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('partition' as const, 'heal' as const), client }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('disconnect' as const), client }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('expire' as const, 'close' as const), client }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('cut' as const, 'join' as const), server }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('stop' as const, 'start' as const) }) },
);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: does }, { weight: 1, arbitrary: happens }),
  { maxLength: 60 },
);
const faults = fc.record({
  delayMs: fc.constantFrom([0, 0] as const, [0, 20] as const, [1, 300] as const),
  lagMs: fc.constantFrom([0, 0] as const, [0, 500] as const),
  watchDelayMs: fc.constantFrom([0, 0] as const, [0, 200] as const),
  refusedShare: fc.constantFrom(0, 0.1),
  brokenShare: fc.constantFrom(0, 0.1),
});

void t.test('whatever happens, what must hold holds', async (t) => {
  const property = fc.asyncProperty(fc.nat(), faults, steps, async (seed, chosen, list) => {
    const world = new World(seed, chosen);
    await world.run(list);
    if (world.wrong.length > 0) throw new Error([...world.wrong, ...world.trace].join('\n'));
  });
  await fc.assert(property, { numRuns: 150 });
  t.pass('150 runs');
});

void t.test('the same seed gives the same run', async (t) => {
  const property = fc.asyncProperty(fc.nat(), faults, steps, async (seed, chosen, list) => {
    const worlds = [new World(seed, chosen), new World(seed, chosen)];
    for (const world of worlds) await world.run(list);
    if (worlds[0]!.trace.join('\n') !== worlds[1]!.trace.join('\n')) throw new Error('another run');
  });
  await fc.assert(property, { numRuns: 20 });
  t.pass('20 pairs of runs');
});
