// A pool of two workers, one in this process and one in another, that are linked by TCP.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RealClock } from '../../../engine/clock.js';
import type { TopologyConfig } from '../../../engine/model/definition.js';
import type { WorkerPool } from '../../../engine/worker/pool.js';
import { leadProcesses } from '../../../engine/worker/remote/known-processes.js';

/** Two processes with one worker each. */
export interface TwoProcesses {
  readonly pool: WorkerPool;
  /** Resolves when the second one is gone. */
  readonly ended: Promise<unknown>;
  /** Processor time of the second one, in microseconds. */
  usedCpu(): Promise<number>;
}

export async function twoProcesses(url: string, config: TopologyConfig): Promise<TwoProcesses> {
  const host = '127.0.0.1';
  const { pool, port } = await leadProcesses({
    lead: { name: 'first', host, workers: 1 },
    port: 0,
    members: [{ name: 'second', host, workers: 1 }],
    config,
    secret: '',
    hash: url,
    clock: new RealClock(),
    say: () => undefined,
  });
  const child = fork(fileURLToPath(new URL('./member.js', import.meta.url)), [String(port), url]);
  return {
    pool,
    ended: once(child, 'exit'),
    usedCpu: async () => {
      const answer = once(child, 'message');
      child.send('cpu');
      const [used] = (await answer) as [NodeJS.CpuUsage];
      return used.user + used.system;
    },
  };
}
