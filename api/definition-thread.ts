// The entry of the throw-away thread that reads the definition of a topology: it imports the user's module, which may
// throw, spin, exit or leak, and posts back what the topology is, as plain data, or why there is none. It says one
// thing only; whoever started it ends the thread then, whatever the module left running in it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { toWire } from '../engine/errors.js';
import type { DefinitionMessage, DefinitionRequest } from './definition-messages.js';

const request = workerData as DefinitionRequest;
const exit = process.exit.bind(process);
let said = false;

process.setSourceMapsEnabled(true);
process.on('uncaughtException', (error) => post({ kind: 'millrace.definition.threw', error: toWire(error) }));
process.on('unhandledRejection', (reason) => post({ kind: 'millrace.definition.rejected', error: toWire(reason) }));
process.on('exit', () => {
  if (!said) post({ kind: 'millrace.definition.unsettled' });
});
process.exit = function leave(code) {
  const exitCode = Number(code ?? process.exitCode ?? 0);
  const caller: { stack?: string } = {};
  Error.captureStackTrace(caller, leave);
  post({ kind: 'millrace.definition.exited', exitCode, stack: caller.stack ?? null });
  return exit(code);
};

try {
  post(await read(request));
} catch (error) {
  post({ kind: 'millrace.definition.threw', error: toWire(error) });
}

async function read({ source, file }: DefinitionRequest): Promise<DefinitionMessage> {
  const [{ loadTopology }, { describe }] = await Promise.all([
    import('../engine/worker/module.js'),
    import('../engine/model/describe.js'),
  ]);
  const description = describe(await loadTopology(source, file));
  // A promise that the module left rejected is reported after this turn, and must win.
  await nextTurn();
  return { kind: 'millrace.definition.read', description };
}

function post(message: DefinitionMessage): void {
  said = true;
  parentPort?.postMessage(message);
}
