// What the pool runs in each thread: one worker, until it is stopped. It imports nothing that can fail and nothing of
// the user's: the pool would stop replacing threads for good after one failed load, and the user's module is imported
// inside.

import { receiveMessageOnPort, threadId, type MessagePort } from 'node:worker_threads';
import { toWire } from '../errors.js';
import type { Topology } from '../model/definition.js';
import { loadTopologyInWorker } from './module.js';
import type { FromWorker, Instrument, ToWorker, WorkerInit } from './messages.js';
import { WorkerRuntime } from './runtime.js';

/** What the module of an instrument exports. */
export interface InstrumentModule {
  instrument(topology: Topology, port: Instrument['port']): Topology;
}

/**
 * Runs the worker that stands in the port; the promise resolves when it has stopped, and the thread may then be ended.
 */
export default async function runWorker(port: MessagePort): Promise<void> {
  const init = (receiveMessageOnPort(port) as { readonly message: WorkerInit }).message;
  process.setSourceMapsEnabled(true);
  const post = (message: FromWorker): void => init.control.postMessage(message);
  post({ type: 'hello', threadId });
  let topology: Topology;
  try {
    topology = await loadTopologyInWorker(init.source, init.description.name);
    if (init.instrument !== null) {
      const module = (await import(init.instrument.url)) as InstrumentModule;
      topology = module.instrument(topology, init.instrument.port);
    }
  } catch (error) {
    post({ type: 'refused', error: toWire(error) });
    await stopAsked(init);
    return;
  }
  await new WorkerRuntime(init, topology).run();
}

/** A worker that could not begin stays until it is told to go, so that it does not look like one that died. */
function stopAsked(init: WorkerInit): Promise<void> {
  return new Promise((resolve) => {
    init.control.on('message', (message: ToWorker) => {
      if (message.type !== 'stop') return;
      init.control.postMessage({ type: 'stopped' } satisfies FromWorker);
      init.control.close();
      resolve();
    });
  });
}
