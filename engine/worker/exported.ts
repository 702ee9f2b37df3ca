// Says what a module exports where a topology should be, for people who forgot the export or its call. Pure; used where
// a module is loaded, in the definition thread and in workers.

import { inspect } from 'node:util';

/** What was found, and what to do about it. */
export interface ExportFound {
  readonly found: string;
  readonly advice: string;
}

const ADVICE = "write: export default topology('name', (t) => { … })";

/** Describes the default export of a module, or its absence. */
export function describeExport(module: Readonly<Record<string, unknown>>): ExportFound {
  const exported = module['default'];
  if (!Object.hasOwn(module, 'default')) {
    const others = Object.keys(module).slice(0, 5);
    return { found: others.length === 0 ? 'nothing' : `nothing (it exports ${others.join(', ')})`, advice: ADVICE };
  }
  if (exported === null || exported === undefined) return { found: String(exported), advice: ADVICE };
  if (Array.isArray(exported)) return { found: `an array of ${exported.length}`, advice: 'export one topology a file' };
  if (typeof exported === 'function') return describeFunction(exported);
  if (exported instanceof Promise) return { found: 'a promise', advice: 'await it: export default await …' };
  if (typeof exported === 'object') {
    const keys = Object.keys(exported).slice(0, 5);
    const found = keys.length === 0 ? 'an empty object' : `an object with the keys ${keys.join(', ')}`;
    return { found, advice: ADVICE };
  }
  const shown = typeof exported === 'string' ? JSON.stringify(exported.slice(0, 40)) : inspect(exported);
  return { found: `the ${typeof exported} ${shown}`, advice: ADVICE };
}

function describeFunction(exported: { readonly name: string }): ExportFound {
  const name = exported.name === '' || exported.name === 'default' ? '' : ` ${exported.name}`;
  const isClass = /^class\b/.test(Function.prototype.toString.call(exported));
  return isClass
    ? { found: `the class${name}`, advice: ADVICE }
    : { found: `the function${name}`, advice: "call it: export default topology('name', (t) => { … })" };
}
