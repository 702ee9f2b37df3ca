// The built-in components by the names that JSON topologies call them; each folder has its own in types.ts. Only
// readers of JSON topologies import this: it brings the schema library, which the TypeScript functions (`fileLines`, …)
// stay free of. Invariant: a type here and its function make the same component from the same settings. Any thread.

import type { ComponentRegistry, ComponentType } from '../model/registry.js';
import { countType } from './count/types.js';
import { filterType, mapType } from './expression/types.js';
import { fileLinesType, fileSinkType } from './file/types.js';
import { generatorType } from './generator/types.js';
import { ingestType } from './ingest/types.js';
import { httpPollType } from './http/types.js';
import { logType } from './log/types.js';
import { tcpLinesType } from './tcp/types.js';
import { splitWordsType } from './words/types.js';

const types: readonly ComponentType[] = [
  fileLinesType,
  generatorType,
  ingestType,
  splitWordsType,
  countType,
  fileSinkType,
  logType,
  filterType,
  mapType,
  tcpLinesType,
  httpPollType,
];

/** The types of components that come with Millrace. */
export const builtins: ComponentRegistry = new Map(types.map((type) => [type.type, type]));
