// What a module drags in while the program runs, through however many steps; imports of types are gone by then. It
// keeps the entries that a user's bundle contains light, and the model pure all the way down.

const { parts } = require('../../.dependency-cruiser.cjs');

const { coreModules, forbid, options, packages } = parts;

module.exports = {
  forbidden: [
    forbid(
      'light-entries',
      'the entries for building topologies load no server library: a bundle of user code contains them',
      { path: '^engine/(index|connect/[^/]+/index)\\.ts$' },
      { path: packages('typebox', 'piscina', 'msgpackr'), reachable: true },
    ),
    forbid(
      'light-root',
      'the root entry loads no module of Node',
      { path: '^engine/index\\.ts$' },
      { path: coreModules, reachable: true },
    ),
    forbid(
      'pure-all-the-way',
      'engine/model and engine/plan reach no module of Node',
      { path: '^engine/(model|plan)/' },
      { path: coreModules, reachable: true },
    ),
  ],
  options: { ...options, tsPreCompilationDeps: false },
};
