// Exports of an artifact as types of JSON topologies, loaded as the definition thread and workers do.

import t from 'tap';
import type { MillraceError } from '../../../engine/errors.js';
import { describe } from '../../../engine/model/describe.js';
import { exportedTypes } from '../../../engine/model/exported-types.js';
import { loadTopology, loadTopologyInWorker } from '../../../engine/worker/module.js';
import { silentLogger } from '../../../engine/log.js';
import { TopologyRun } from '../../../engine/worker/topology-run.js';

const artifactUrl = new URL('./topologies/exports.js', import.meta.url).href;
const artifact = 'a'.repeat(64);

const document = {
  name: 'of-an-artifact',
  artifact,
  spouts: {
    evens: { type: 'Evens', config: { count: 3 } },
    odds: { type: 'odds' },
    made: { type: 'made', config: { field: 'g' } },
  },
  bolts: {
    more: {
      type: 'count',
      inputs: [
        { from: 'evens', grouping: 'shuffle' },
        { from: 'odds', grouping: 'shuffle' },
      ],
    },
    show: {
      type: 'Show',
      config: { prefix: '> ', anything: [1, { deep: true }] },
      inputs: [{ from: 'more', grouping: 'fields', fields: ['more'] }],
    },
    drop: {
      type: 'drop',
      parallelism: 1,
      config: { prefix: '! ' },
      inputs: [{ from: 'made', grouping: 'fields', fields: ['g'] }],
    },
  },
};

t.test('what a module exports, by kind', async (t) => {
  const types = exportedTypes((await import(artifactUrl)) as Record<string, unknown>);
  t.strictSame([...types.values()].map(({ type, kind }) => `${kind} ${type}`).sort(), [
    'bolt Show',
    'bolt count',
    'bolt drop',
    'spout Evens',
    'spout made',
    'spout odds',
  ]);
});

t.test('a topology of built-in and exported types runs', async (t) => {
  const source = { kind: 'document', document, settings: { 'show.prefix': '= ' }, artifactUrl } as const;
  const description = describe(await loadTopology(source));
  t.match(description.components, [
    { id: 'evens', outputs: { default: ['n'] }, config: { count: 3 } },
    { id: 'odds', outputs: { default: ['n'] } },
    { id: 'made', outputs: { default: ['g'] } },
    { id: 'more', outputs: { default: ['more'] } },
    {
      id: 'show',
      parallelism: 2,
      behavior: { concurrency: 3, tickMs: 5000, manualAck: false },
      config: { prefix: '= ', anything: [1, { deep: true }] },
    },
    { id: 'drop', parallelism: 1 },
  ]);
  const printed: string[] = [];
  const run = new TopologyRun({
    source,
    description,
    workers: 2,
    logger: silentLogger,
    print: async (line) => void printed.push(line),
  });
  await run.start();
  t.strictSame(await run.completed, { status: 'completed', error: null });
  t.strictSame(printed.sort(), ['! 0', '= 1', '= 2', '= 3', '= 4', '= 5']);
});

t.test('what is wrong with it is said as for built-in types', async (t) => {
  const load = (changed: object, url?: string): Promise<unknown> =>
    loadTopology({
      kind: 'document',
      document: { ...document, ...changed },
      settings: {},
      ...(url === undefined ? {} : { artifactUrl: url }),
    }).catch((error: unknown) => error);
  t.match(await load({}), {
    code: 'MILLRACE_TOPOLOGY_INVALID',
    problems: [{ code: 'MILLRACE_DOCUMENT_ARTIFACT', path: 'artifact' }],
  });
  t.match(await load({ spouts: { evens: { type: 'Even' }, odds: { type: 'Show' } } }, artifactUrl), {
    code: 'MILLRACE_TOPOLOGY_INVALID',
    problems: [
      { code: 'MILLRACE_DOCUMENT_UNKNOWN_TYPE', path: 'spouts.evens.type', hint: /Evens/ },
      { code: 'MILLRACE_DOCUMENT_TYPE_KIND', path: 'spouts.odds.type' },
    ],
  });
  await t.rejects(
    loadTopologyInWorker(
      { kind: 'document', document, settings: {}, artifactUrl: 'data:text/javascript,throw new RangeError("odd")' },
      'of-an-artifact',
    ),
    { code: 'MILLRACE_WORKER_MODULE', message: /"of-an-artifact" failed to load in a worker: odd/ },
  );
  const wrong = `data:text/javascript,${encodeURIComponent(`
    export class Evens { static outputs = 5; nextTuple() {} }
    export class Show { static options = { concurrency: 'many' }; execute() {} }
    export function count() {}
    export function* odds() {}
    export const made = 1;`)}`;
  const { problems } = (await load({}, wrong)) as { readonly problems: readonly { code: string; path: string }[] };
  const places = problems.map(({ code, path }) => `${code.replace('MILLRACE_', '')} ${path}`);
  for (const place of ['TOPOLOGY_OUTPUTS spouts.evens.outputs', 'DOCUMENT_UNKNOWN_TYPE spouts.made.type']) {
    t.ok(places.includes(place), `${place}, of: ${places.join(', ')}`);
  }
  t.ok(
    places.some((place) => place.endsWith('bolts.show.concurrency')),
    places.join(', '),
  );
});

t.test('a document names a grouping that the artifact exports', async (t) => {
  const of = (custom: unknown): object => ({
    name: 'grouped',
    artifact,
    spouts: { evens: { type: 'Evens', config: { count: 3 } } },
    bolts: { drop: { type: 'drop', inputs: [{ from: 'evens', grouping: 'custom', custom }] } },
  });
  const source = (custom: unknown) => ({ kind: 'document', document: of(custom), settings: {}, artifactUrl }) as const;
  const [, bolt] = (await loadTopology(source('ByRest'))).components;
  const grouping = bolt?.kind === 'bolt' ? bolt.inputs[0]?.custom : undefined;
  t.equal(grouping?.name, 'ByRest');
  t.equal(grouping?.create().choose([7], [1, 2, 3]), 1);
  const refused = async (custom: unknown): Promise<unknown> =>
    loadTopology(source(custom)).catch((error: unknown) =>
      (error as MillraceError).problems.map(({ code, path, hint }) => [code, path, hint]),
    );
  t.match(await refused('ByRset'), [
    ['MILLRACE_DOCUMENT_UNKNOWN_CUSTOM', 'bolts.drop.inputs[0].custom', /did you mean "ByRest"/],
  ]);
  t.match(await refused('Evens'), [['MILLRACE_DOCUMENT_UNKNOWN_CUSTOM', 'bolts.drop.inputs[0].custom', /ByRest/]]);
  t.match(await refused(undefined), [['MILLRACE_TOPOLOGY_CUSTOM', 'bolts.drop.inputs[0].custom']]);
  t.match(await refused(5), [['MILLRACE_DOCUMENT_VALUE', 'bolts.drop.inputs[0].custom']]);
});
