// What a module drags in while the program runs, through however many steps. It reads what the compiler made, where
// imports of types are gone, so build first. It keeps the entries that a user's bundle contains light, and the model
// pure all the way down.

const { parts } = require('../../.dependency-cruiser.cjs');

const { coreModules, forbid, options, packages } = parts;

module.exports = {
  forbidden: [
    forbid(
      'light-entries',
      'the entries for building topologies load no server library: a bundle of user code contains them',
      { path: '^dist/(engine/(index|connect/[^/]+/index)|coordination/connect/[^/]+/index|api/client/index)\\.js$' },
      { path: packages('typebox', 'piscina', 'msgpackr', 'fastify'), reachable: true },
    ),
    forbid(
      'light-root',
      'the root entry loads no module of Node',
      { path: '^dist/engine/index\\.js$' },
      { path: coreModules, reachable: true },
    ),
    forbid(
      'pure-all-the-way',
      'engine/model and engine/plan reach no module of Node',
      { path: '^dist/engine/(model|plan)/' },
      { path: coreModules, reachable: true },
    ),
  ],
  options: { ...options, doNotFollow: { path: ['(^|/)node_modules/'] } },
};
