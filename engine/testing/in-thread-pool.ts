// Runs workers in the calling thread: the production runtime on ports within one thread, so that a test can step
// through it on virtual time and its stack traces are whole.

import type { MessagePort } from 'node:worker_threads';
import { toWire } from '../errors.js';
import type { Topology } from '../model/definition.js';
import { loadTaskClasses } from '../task/copies.js';
import { loadTopologyInWorker } from '../worker/module.js';
import type { FromWorker, WorkerInit } from '../worker/messages.js';
import type { WorkerHandle, WorkerPool } from '../worker/pool.js';
import { WorkerRuntime } from '../worker/runtime.js';
import { crashHooks, instrument } from './instrument.js';

export class InThreadPool implements WorkerPool {
  private readonly topology: Topology | null;
  private readonly links: 'ports' | 'tcp';
  private nextThreadId = -1;

  /**
   * @param topology - what to run; null: what each worker's source says
   * @param links - what leads from one worker to another
   */
  constructor(topology: Topology | null, links: 'ports' | 'tcp' = 'ports') {
    this.topology = topology;
    this.links = links;
  }

  get usesTcp(): boolean {
    return this.links === 'tcp';
  }

  linkKind(): 'ports' | 'tcp' {
    return this.links;
  }

  start(init: WorkerInit, _transfer: readonly MessagePort[]): WorkerHandle {
    let runtime: WorkerRuntime | null = null;
    let crashed: (reason: string) => void = () => undefined;
    const crash = new Promise<string>((resolve) => (crashed = resolve));
    const kill = (): void => {
      runtime?.abandon();
      crashed('killed');
    };
    if (init.instrument !== null) crashHooks.set(init.instrument.port, kill);
    const run = async (): Promise<null> => {
      try {
        const loaded = this.topology ?? (await loadTopologyInWorker(init.source, init.description.name));
        const topology = init.instrument === null ? loaded : instrument(loaded, init.instrument.port);
        await loadTaskClasses(init.description.components);
        runtime = new WorkerRuntime(init, topology);
      } catch (error) {
        init.control.postMessage({ type: 'refused', error: toWire(error) } satisfies FromWorker);
        return null;
      }
      await runtime.run();
      return null;
    };
    return {
      ended: Promise.race([run(), crash]).finally(() => init.instrument?.port.close()),
      threadId: this.nextThreadId--,
      kill: () => Promise.resolve(kill()),
    };
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }
}
