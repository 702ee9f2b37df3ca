// Proves that the rules about who imports whom bite: each runs over a small tree that breaks it once, and over one that
// breaks none. The rules themselves stand in .dependency-cruiser.cjs and test/tools/reachability.cjs.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the boundaries with that configuration over the tree and returns each violation as `rule: from`, sorted. */
function violations(tree: string, configuration: string, files: string): string[] {
  const cruiser = `${root}node_modules/dependency-cruiser/bin/dependency-cruise.mjs`;
  const run = spawnSync(process.execPath, [cruiser, '--config', root + configuration, '--output-type', 'json', files], {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.stdout === '') throw new Error(`dependency-cruiser said nothing: ${run.stderr}`);
  const cruise = JSON.parse(run.stdout) as Cruise;
  if (cruise.modules.length === 0) throw new Error('dependency-cruiser saw no module');
  return [...new Set(cruise.summary.violations.map((violation) => `${violation.rule.name}: ${violation.from}`))].sort();
}

const sources = '{engine,coordination,api,test,examples}/**/*.ts';
const compiled = 'dist/{engine,coordination,api}/**/*.js';

const use = (...specifiers: readonly string[]): string => specifiers.map((name) => `import '${name}';\n`).join('');
const leaf = 'export const leaf = 1;\n';

/**
 * What the trees list in their package.json; `installed` stands in for packages that this project has not needed yet.
 */
const dependencies = Object.fromEntries(
  ['commander', 'esbuild', 'fastify', 'msgpackr', 'node-zookeeper-client', 'piscina', 'typebox'].map((name) => [
    name,
    '*',
  ]),
);
const installed = () => ({ 'package.json': '{ "version": "1.0.0", "main": "index.js" }', 'index.js': '' });

t.test('a tree that keeps to the arrows passes', (t) => {
  const tree = t.testdir({
    'package.json': JSON.stringify({ name: 'millrace', dependencies, exports: { '.': './dist/engine/index.js' } }),
    dist: { engine: { 'index.js': '' } },
    engine: {
      'index.ts': use('./model/definition.js'),
      'errors.ts': leaf,
      model: { 'definition.ts': use('../errors.js'), 'schema.ts': use('typebox') },
      plan: { 'plan.ts': use('../model/definition.js') },
      codec: { 'batch.ts': use('msgpackr') },
      component: { 'spec.ts': leaf },
      worker: { 'pool.ts': use('piscina', 'node:worker_threads', '../codec/batch.js', '../plan/plan.js') },
      connect: { file: { 'index.ts': use('node:fs', '../../model/definition.js') } },
      testing: { 'index.ts': use('../worker/pool.js') },
    },
    coordination: {
      'follow.ts': use('../engine/plan/plan.js', '../engine/model/definition.js', '../engine/errors.js'),
      connect: { zookeeper: { 'index.ts': use('../../../engine/component/spec.js', '../../follow.js') } },
    },
    api: {
      'bundle.ts': use('esbuild'),
      'host.ts': use('../engine/worker/pool.js', '../coordination/follow.js'),
      cli: { 'main.ts': use('commander', '../host.js') },
    },
    test: { 'pool.test.ts': use('../engine/worker/pool.js', '../api/host.js', 'msgpackr', 'tap') },
    // Who needs itself only for its types is no cycle.
    examples: {
      'words.ts': `${use('millrace', './flights.js')}export type Words = 1;\n`,
      'flights.ts': `export const words = 1;\n`,
    },
  });
  t.strictSame(violations(tree, '.dependency-cruiser.cjs', sources), []);
  t.end();
});

t.test('each arrow bites, for imports of types too', (t) => {
  const tree = t.testdir({
    'package.json': JSON.stringify({ name: 'tree', dependencies, devDependencies: { 'fast-check': '*' } }),
    dist: { engine: { 'index.js': '' } },
    node_modules: { fastify: installed(), 'node-zookeeper-client': installed() },
    engine: {
      'alone.ts': `import type { leaf } from '../api/leaf.js';\nexport type Leaf = typeof leaf;\n`,
      'cycle.ts': use('./cycle.js'),
      'lost.ts': use('./nowhere.js'),
      'undeclared.ts': use('fast-check'),
      'uses-test.ts': use('../test/leaf.js'),
      'uses-examples.ts': use('../examples/leaf.js'),
      'uses-testing.ts': use('./testing/index.js'),
      'packs.ts': use('msgpackr'),
      'pools.ts': use('piscina'),
      model: { 'leaf.ts': leaf, 'reads.ts': use('node:fs'), 'plans.ts': use('../plan/leaf.js') },
      plan: { 'leaf.ts': leaf, 'runs.ts': use('../worker/leaf.js') },
      testing: { 'index.ts': leaf },
      worker: { 'leaf.ts': leaf },
    },
    coordination: {
      'commands.ts': use('commander'),
      'reaches.ts': use('../engine/worker/leaf.js'),
      'connects.ts': use('./connect/leaf.js'),
      connect: { 'leaf.ts': leaf, 'runs.ts': use('../../engine/worker/leaf.js') },
      'watches.ts': use('node-zookeeper-client'),
      store: { zookeeper: { 'client.ts': leaf } },
    },
    api: {
      'leaf.ts': leaf,
      'serves.ts': use('fastify'),
    },
    examples: {
      'leaf.ts': leaf,
      'relative.ts': use('../engine/model/leaf.js'),
      'built.ts': use('../dist/engine/index.js'),
      'bundles.ts': use('esbuild'),
    },
    test: { 'leaf.ts': leaf },
  });
  t.strictSame(violations(tree, '.dependency-cruiser.cjs', sources), [
    'commander-at-home: coordination/commands.ts',
    'connectors-last: coordination/connects.ts',
    'connectors-of-coordination: coordination/connect/runs.ts',
    'coordination-arrows: coordination/reaches.ts',
    'dependencies-declared: engine/undeclared.ts',
    'engine-alone: engine/alone.ts',
    'esbuild-at-home: examples/bundles.ts',
    'examples-by-name: examples/built.ts',
    'examples-by-name: examples/relative.ts',
    'fastify-at-home: api/serves.ts',
    'model-before-plan: engine/model/plans.ts',
    'model-first: engine/plan/runs.ts',
    'msgpackr-at-home: engine/packs.ts',
    'no-cycle: engine/cycle.ts',
    'nobody-imports-examples: engine/uses-examples.ts',
    'nobody-imports-test: engine/uses-test.ts',
    'piscina-at-home: engine/pools.ts',
    'pure-model-and-plan: engine/model/reads.ts',
    'resolvable: engine/lost.ts',
    'testing-last: engine/uses-testing.ts',
    'zookeeper-at-home: coordination/watches.ts',
  ]);
  t.end();
});

t.test('what is reachable at run time bites, through several steps', (t) => {
  const tree = t.testdir({
    'package.json': JSON.stringify({ name: 'tree', type: 'module', dependencies }),
    dist: {
      engine: {
        'index.js': use('./step.js'),
        'step.js': use('./further.js'),
        'further.js': use('node:fs'),
        model: { 'definition.js': use('../further.js'), 'pure.js': use('./leaf.js'), 'leaf.js': leaf },
        worker: { 'pool.js': use('piscina') },
        connect: {
          heavy: { 'index.js': use('./schema.js'), 'schema.js': use('typebox') },
          light: { 'index.js': use('node:fs', '../../model/leaf.js') },
        },
      },
    },
  });
  t.strictSame(violations(tree, 'test/tools/reachability.cjs', compiled), [
    'light-entries: dist/engine/connect/heavy/index.js',
    'light-root: dist/engine/index.js',
    'pure-all-the-way: dist/engine/model/definition.js',
  ]);
  t.end();
});
