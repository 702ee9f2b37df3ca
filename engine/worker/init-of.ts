// What a worker of a run is told when it starts, beyond where it stands in the wiring: as things are then, in the
// middle of a change of the plan too. On the main thread.

import { runtimeLimits } from '../limits.js';
import type { CounterBlocks } from '../metrics/counter-blocks.js';
import { entropySeed } from '../random.js';
import type { Rebalances } from './rebalances.js';
import type { TopologyRunOptions } from './run-options.js';
import type { RunOutput } from './run-output.js';
import type { RunParameters } from './run-parameters.js';
import type { InitBase } from './seats.js';

export function initOf(
  worker: number,
  options: TopologyRunOptions,
  rebalances: Rebalances,
  counters: CounterBlocks,
  output: RunOutput,
  parameters: RunParameters,
): InitBase {
  const transition = rebalances.soFar;
  return {
    source: options.source,
    description: options.description,
    plan: transition?.after ?? rebalances.plan,
    transition,
    spoutsEnded: rebalances.spoutsEnded,
    counters: counters.blocks,
    seed: options.seed ?? entropySeed(),
    limits: options.limits ?? runtimeLimits,
    strict: options.strict ?? false,
    virtualTimeMs: options.virtualTimeMs?.() ?? null,
    filesRoot: options.filesRoot ?? null,
    parameters: parameters.now,
    checkpoints: [...output.checkpoints.values()],
    instrument: options.instrument?.(worker) ?? null,
  };
}
