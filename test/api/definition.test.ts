// Reading a definition in a throw-away thread: every way in which a module can misbehave ends as an error of its own
// that names the file, and the thread is gone.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bundleTopology } from '../../api/bundle.js';
import { readDefinition, type ReadDefinitionOptions } from '../../api/definition.js';
import { VirtualClock } from '../../engine/clock.js';
import { isMillraceError, type MillraceError } from '../../engine/errors.js';
import { DEFINITION_TIMEOUT_MS } from '../../engine/limits.js';
import type { TopologyDescription } from '../../engine/model/describe.js';
import type { Settings } from '../../engine/model/settings.js';
import { NUMBERS } from './modules.js';

interface Reading {
  readonly file: string;
  readonly description: Promise<TopologyDescription>;
}

async function read(
  t: Test,
  text: string,
  options: ReadDefinitionOptions = {},
  settings: Settings = {},
): Promise<Reading> {
  const file = join(t.testdir({ 'sample.ts': text }), 'sample.ts');
  const bundle = await bundleTopology(file);
  t.teardown(async () => await bundle.dispose());
  return { file, description: readDefinition({ kind: 'module', url: bundle.url, settings }, { file, ...options }) };
}

async function refused(
  t: Test,
  text: string,
  options: ReadDefinitionOptions = {},
  settings: Settings = {},
): Promise<MillraceError> {
  const { description } = await read(t, text, { onOutput: () => undefined, ...options }, settings);
  const error: unknown = await description.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!isMillraceError(error)) return t.fail(`no error of ours: ${String(error)}`) as never;
  return error;
}

t.test('a topology is described', async (t) => {
  const { description } = await read(t, NUMBERS);
  t.match(await description, {
    name: 'numbers',
    components: [
      { id: 'numbers', kind: 'spout' },
      { id: 'log', kind: 'bolt' },
    ],
  });
});

t.test('settings are applied, and checked', async (t) => {
  const { description } = await read(t, NUMBERS, {}, { workers: 2 });
  t.equal((await description).config.workers, 2);
  const error = await refused(t, NUMBERS, {}, { wokers: 2 });
  t.equal(error.code, 'MILLRACE_TOPOLOGY_INVALID');
  t.match(error.problems, [{ path: 'settings.wokers' }]);
});

t.test('what a module prints is passed on, not to standard output', async (t) => {
  let printed = '';
  const text = `console.log('to out'); console.error('to err'); ${NUMBERS}`;
  const { description } = await read(t, text, { onOutput: (part) => (printed += part) });
  await description;
  t.match(printed, 'to out\n');
  t.match(printed, 'to err\n');
});

t.test('a module that leaves timers running is described all the same', async (t) => {
  const { description } = await read(t, `setInterval(() => undefined, 1); ${NUMBERS}`);
  t.equal((await description).name, 'numbers');
});

t.test('a module that throws: the place is in its source', async (t) => {
  const error = await refused(
    t,
    '\nfunction inner(): never {\n  throw new TypeError("boom");\n}\ninner();\nexport default 1;\n',
  );
  t.equal(error.code, 'MILLRACE_DEFINITION_THREW');
  t.match(error.message, /sample\.ts" threw while it was loading, at .*sample\.ts:3:9: TypeError: boom/);
  t.match(error.stack, /inner \(.*sample\.ts:3:9\)/);
});

t.test('a module that throws no error at all', async (t) => {
  t.match(await refused(t, 'throw null; export default 1;'), { code: 'MILLRACE_DEFINITION_THREW', message: /: null$/ });
  t.match(await refused(t, "throw 'text'; export default 1;"), {
    code: 'MILLRACE_DEFINITION_THREW',
    message: /: text$/,
  });
});

t.test('a topology that is wrong keeps its code and its problems', async (t) => {
  const error = await refused(
    t,
    "import { topology } from 'millrace'; export default topology('empty', () => undefined);",
  );
  t.equal(error.code, 'MILLRACE_TOPOLOGY_INVALID');
  t.ok(error.problems.length > 0);
});

t.test('a module that exits', async (t) => {
  const error = await refused(t, '\n  process.exit(7);\n');
  t.equal(error.code, 'MILLRACE_DEFINITION_EXITED');
  t.match(
    error.message,
    /sample\.ts" ended its process while it was loading, at .*sample\.ts:2:11: process\.exit\(7\)/,
  );
});

t.test('a module that spins is ended at the deadline', async (t) => {
  const clock = new VirtualClock();
  const onOutput = (): void => {
    while (clock.step(DEFINITION_TIMEOUT_MS));
  };
  const error = await refused(t, "console.log('spinning'); for (;;);", { clock, onOutput });
  t.match(error, { code: 'MILLRACE_DEFINITION_TIMEOUT', message: /sample\.ts" was not loaded within 10 s/ });
});

t.test('a module that waits for what never comes', async (t) => {
  const error = await refused(t, 'await new Promise(() => undefined); export default 1;');
  t.match(error, { code: 'MILLRACE_DEFINITION_UNSETTLED', message: /sample\.ts/ });
});

t.test('a module that waits too long, with something that keeps the thread alive', async (t) => {
  const clock = new VirtualClock();
  const onOutput = (): void => {
    while (clock.step(1500));
  };
  const text = "setInterval(() => undefined, 1e6); console.log('waiting'); await new Promise(() => undefined);";
  const error = await refused(t, text, { clock, onOutput, timeoutMs: 1500 });
  t.match(error, { code: 'MILLRACE_DEFINITION_TIMEOUT', message: /within 1\.5 s/ });
});

t.test('a module that leaves a rejection unhandled', async (t) => {
  const error = await refused(t, `void Promise.reject(new Error('late'));${NUMBERS}`);
  t.equal(error.code, 'MILLRACE_DEFINITION_REJECTED');
  t.match(error.message, /sample\.ts" left a promise rejected while it was loading, at .*sample\.ts:1:21: late/);
});

t.test('a module that throws in a callback while it loads', async (t) => {
  const text = "setImmediate(() => { throw new Error('later'); }); await new Promise(() => undefined);";
  t.match(await refused(t, text), { code: 'MILLRACE_DEFINITION_THREW', message: /: later$/ });
});

t.test('a module that needs more memory than there is', async (t) => {
  const text = 'const kept: unknown[] = []; for (;;) kept.push(new Array(10_000).fill(kept.length));';
  const error = await refused(t, text, { heapMegabytes: 32 });
  t.match(error, { code: 'MILLRACE_DEFINITION_MEMORY', message: /sample\.ts" needed more than 32 MB/ });
});

t.test('a module that exports something else: what was found is said', async (t) => {
  const cases: readonly (readonly [text: string, found: RegExp])[] = [
    ['export const a = 1, b = 2;', /default-exports nothing \(it exports a, b\)/],
    ['console.log();', /default-exports nothing instead/],
    ['export default null;', /default-exports null/],
    ['export default undefined;', /default-exports undefined/],
    ['export default { name: 1, spouts: 2 };', /an object with the keys name, spouts/],
    ['export default {};', /an empty object/],
    ['export default [1, 2];', /an array of 2/],
    ['export default function make() {}', /the function make/],
    ['export default class Words {}', /the class Words/],
    ['export default Promise.resolve(1);', /a promise/],
    ["export default 'words';", /the string "words"/],
  ];
  for (const [text, found] of cases) {
    t.match(await refused(t, text), { code: 'MILLRACE_DEFINITION_EXPORT', message: found }, text);
  }
});

t.test('a module that posts messages of its own', async (t) => {
  const own = "import { parentPort } from 'node:worker_threads'; parentPort?.postMessage({ kind: 'mine' });";
  const text = `${own} ${NUMBERS}`;
  const { description } = await read(t, text);
  t.equal((await description).name, 'numbers');
});

t.test('reading is given up on request', async (t) => {
  const giveUp = new AbortController();
  const reason = new Error('no more');
  const onOutput = (): void => giveUp.abort(reason);
  const { description } = await read(t, "console.log('spinning'); for (;;);", { signal: giveUp.signal, onOutput });
  await t.rejects(description, reason);
  const source = { kind: 'document', document: {}, settings: {} } as const;
  await t.rejects(readDefinition(source, { signal: giveUp.signal }), reason);
});

t.test('a document is described, and told what is wrong with it', async (t) => {
  const document = {
    name: 'numbers',
    spouts: { numbers: { type: 'generator', config: { template: { n: { sequence: 1 } }, count: 3 } } },
    bolts: { log: { type: 'log', inputs: [{ from: 'numbers', grouping: 'shuffle' }] } },
  };
  t.equal((await readDefinition({ kind: 'document', document, settings: {} })).name, 'numbers');
  const wrong = { ...document, bolts: { log: { type: 'log', inputs: [{ from: 'nmbers', grouping: 'shuffle' }] } } };
  const error: unknown = await readDefinition({ kind: 'document', document: wrong, settings: {} }).catch(
    (thrown: unknown) => thrown,
  );
  t.match(error, { code: 'MILLRACE_TOPOLOGY_INVALID' });
});
