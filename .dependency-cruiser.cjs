// Who imports whom: the arrows between the folders, and one folder for each heavy dependency. Imports of types count here
// as well. What is reachable while the program runs is checked by test/tools/reachability.cjs, with the same options.
// Each rule is proved to bite by test/boundaries.test.ts.

const { builtinModules } = require('node:module');
const { join } = require('node:path');

/** Matches these packages wherever they are installed, also when they are not. */
const packages = (...names) => {
  const either = names.join('|').replaceAll('.', '\\.');
  return `(^|/)node_modules/(${either})/|^(${either})(/|$)`;
};

/** Matches every module of Node itself. */
const coreModules = `^(node:)?(${builtinModules.filter((name) => !name.startsWith('_')).join('|')})$`;

/** Services without dependencies, which every folder may use. */
const services = '^engine/(errors|limits|clock|random|log)\\.ts$';

/** The only folder that imports each heavy dependency; tests may look at all of them. */
const homes = [
  { name: 'piscina', found: packages('piscina'), home: '^engine/worker/' },
  { name: 'msgpackr', found: packages('msgpackr', 'msgpackr-extract'), home: '^engine/(codec|state)/' },
  { name: 'zookeeper', found: packages('node-zookeeper-client'), home: '^coordination/store/zookeeper/' },
  { name: 'fastify', found: packages('fastify', '@fastify/[^/]+'), home: '^api/http/' },
  { name: 'commander', found: packages('commander'), home: '^api/' },
  { name: 'cel', found: packages('@marcbachmann/cel-js'), home: '^engine/connect/expression/' },
  { name: 'esbuild', found: packages('esbuild', '@esbuild/[^/]+'), home: '^api/' },
];

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** How both configurations read the sources. */
const options = {
  tsConfig: { fileName: join(__dirname, 'tsconfig.json') },
  doNotFollow: { path: ['(^|/)node_modules/', '(^|/)dist/'] },
  exclude: { path: ['^test/(fixtures|types/refused)/'] },
  combinedDependencies: false,
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default', 'types'],
    extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
  },
};

module.exports = {
  forbidden: [
    forbid('engine-alone', 'engine imports nothing of ours', { path: '^engine/' }, { path: '^(coordination|api)/' }),
    forbid(
      'coordination-arrows',
      'coordination imports engine/model, engine/plan and the small services only',
      { path: '^coordination/', pathNot: '^coordination/connect/' },
      { path: '^(engine|api)/', pathNot: ['^engine/(model|plan)/', services] },
    ),
    forbid(
      'connectors-of-coordination',
      'coordination/connect holds components: it imports what these are made of besides',
      { path: '^coordination/connect/' },
      {
        path: '^(engine|api)/',
        pathNot: ['^engine/(model|plan|component)/', '^engine/connect/(settings|retries)\\.ts$', services],
      },
    ),
    forbid(
      'connectors-last',
      'nothing in coordination needs its connectors',
      { path: '^coordination/', pathNot: '^coordination/connect/' },
      { path: '^coordination/connect/' },
    ),
    forbid('nobody-imports-test', 'nothing outside test imports test', { pathNot: '^test/' }, { path: '^test/' }),
    forbid(
      'nobody-imports-examples',
      'examples are run, never imported',
      { pathNot: '^examples/' },
      { path: '^examples/' },
    ),
    forbid(
      'examples-by-name',
      'examples import `millrace` by name, as a user does',
      { path: '^examples/' },
      { path: '^(engine|coordination|api|test|dist)/', dependencyTypes: ['local'] },
    ),
    forbid(
      'pure-model-and-plan',
      'engine/model and engine/plan import no module of Node',
      { path: '^engine/(model|plan)/' },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'model-first',
      'engine/model and engine/plan know nothing of what runs them',
      { path: '^engine/(model|plan)/' },
      { path: '^engine/(ack|codec|connect|link|metrics|task|testing|worker)/' },
    ),
    forbid(
      'model-before-plan',
      'plan imports model, never the other way',
      { path: '^engine/model/' },
      { path: '^engine/plan/' },
    ),
    forbid(
      'testing-last',
      'the testing kit imports the engine, never the other way',
      { path: '^engine/', pathNot: '^engine/testing/' },
      { path: '^engine/testing/' },
    ),
    ...homes.map(({ name, found, home }) =>
      forbid(`${name}-at-home`, `${name} is imported in ${home} only`, { pathNot: [home, '^test/'] }, { path: found }),
    ),
    forbid(
      'dependencies-declared',
      'the package imports what package.json lists under dependencies',
      { path: '^(engine|coordination|api)/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    ),
    // Before the first build `millrace` itself is not there.
    forbid('resolvable', 'every import leads somewhere', {}, { couldNotResolve: true, pathNot: '^millrace(/|$)' }),
    forbid('no-cycle', 'no module needs itself, not even for its types', {}, { circular: true }),
  ],
  options: { ...options, tsPreCompilationDeps: true },
};

Object.defineProperty(module.exports, 'parts', {
  value: { coreModules, forbid, options, packages },
  enumerable: false,
});
