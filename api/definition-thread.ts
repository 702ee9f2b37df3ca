// The entry of the throw-away thread that reads the definition of a topology: it imports the user's module, which may
// throw, spin, exit or leak, and posts back what the topology is, as plain data, or why there is none. It says one
// thing only; whoever started it ends the thread then, whatever the module left running in it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { failure, toWire } from '../engine/errors.js';
import type { DefinitionMessage, DefinitionRequest } from './definition-messages.js';

const request = workerData as DefinitionRequest;
const exit = process.exit.bind(process);

process.setSourceMapsEnabled(true);
process.on('uncaughtException', (error) => post({ kind: 'millrace.definition.threw', error: toWire(error) }));
process.on('unhandledRejection', (reason) => post({ kind: 'millrace.definition.rejected', error: toWire(reason) }));
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
  if (source.kind === 'module') await checkExport(source.url, file);
  const [{ loadTopology }, { describe }] = await Promise.all([
    import('../engine/worker/module.js'),
    import('../engine/model/describe.js'),
  ]);
  const description = describe(await loadTopology(source));
  // A promise that the module left rejected is reported after this turn, and must win.
  await nextTurn();
  return { kind: 'millrace.definition.read', description };
}

async function checkExport(url: string, file: string): Promise<void> {
  const { isTopology } = await import('../engine/model/definition.js');
  const module = (await import(url)) as Readonly<Record<string, unknown>>;
  const exported = module['default'];
  if (isTopology(exported)) return;
  throw failure('MILLRACE_DEFINITION_EXPORT', { file, ...describeExport(exported, Object.keys(module)) });
}

function describeExport(
  exported: unknown,
  names: readonly string[],
): { readonly found: string; readonly advice: string } {
  const advice = "write: export default topology('name', (t) => { … })";
  const others = names.filter((name) => name !== 'default');
  if (!names.includes('default')) {
    const found = others.length === 0 ? 'nothing' : `nothing (it exports ${others.slice(0, 5).join(', ')})`;
    return { found, advice };
  }
  if (exported === null || exported === undefined) return { found: String(exported), advice };
  if (Array.isArray(exported)) return { found: `an array of ${exported.length}`, advice: 'export one topology a file' };
  if (typeof exported === 'function') {
    const name = exported.name === '' || exported.name === 'default' ? '' : ` ${exported.name}`;
    const isClass = /^class\b/.test(Function.prototype.toString.call(exported));
    return {
      found: `${isClass ? 'the class' : 'the function'}${name}`,
      advice: isClass ? advice : `call it: ${advice.slice(7)}`,
    };
  }
  if (exported instanceof Promise) return { found: 'a promise', advice: 'await it: export default await …' };
  if (typeof exported === 'object') {
    const keys = Object.keys(exported).slice(0, 5);
    return { found: keys.length === 0 ? 'an empty object' : `an object with the keys ${keys.join(', ')}`, advice };
  }
  const shown = typeof exported === 'string' ? JSON.stringify(exported.slice(0, 40)) : inspect(exported);
  return { found: `the ${typeof exported} ${shown}`, advice };
}

function post(message: DefinitionMessage): void {
  parentPort?.postMessage(message);
}
