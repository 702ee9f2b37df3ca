// A pool of workers in several processes, one in this one and one in each of the others, that are linked by TCP.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RealClock } from '../../../engine/clock.js';
import type { TopologyConfig } from '../../../engine/model/definition.js';
import type { WorkerPool } from '../../../engine/worker/pool.js';
import { leadProcesses } from '../../../engine/worker/remote/known-processes.js';

/** Processes with one worker each. */
export interface SeveralProcesses {
  readonly pool: WorkerPool;
  /** Resolves when all others are gone. */
  readonly ended: Promise<unknown>;
  /** Processor time of the others, in microseconds. */
  usedCpu(): Promise<number>;
}

/** @param count - with this one */
export async function severalProcesses(url: string, config: TopologyConfig, count: number): Promise<SeveralProcesses> {
  const host = '127.0.0.1';
  const names = Array.from({ length: count - 1 }, (_, at) => `other ${at + 1}`);
  const { pool, port } = await leadProcesses({
    lead: { name: 'first', host, workers: 1 },
    port: 0,
    members: names.map((name) => ({ name, host, workers: 1 })),
    config,
    secret: '',
    hash: url,
    clock: new RealClock(),
    say: () => undefined,
  });
  const file = fileURLToPath(new URL('./member.js', import.meta.url));
  const children = names.map((name) => fork(file, [String(port), url, name]));
  return {
    pool,
    ended: Promise.all(children.map((child) => once(child, 'exit'))),
    usedCpu: async () => {
      const used = children.map(async (child) => {
        const answer = once(child, 'message');
        child.send('cpu');
        const [{ user, system }] = (await answer) as [NodeJS.CpuUsage];
        return user + system;
      });
      return (await Promise.all(used)).reduce((sum, each) => sum + each, 0);
    },
  };
}
