// Each rule of the simulation is broken in turn, and a seed of the first few notices it; the same seeds are green when
// nothing is broken.

import t from 'tap';
import { RULES } from './journal.js';
import { MUTATIONS } from './mutations.js';
import { simulate } from './simulate.js';

Error.stackTraceLimit = 0;

/** So many are tried. */
const SEEDS = 60;
const common = { hosts: 5, steps: 50 };

for (const { name, rule, wiring, firstSeed = 1 } of MUTATIONS) {
  void t.test(`${rule}: ${name}`, async (t) => {
    for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
      const { violation } = await simulate({ seed, ...common, wiring });
      if (violation === null) continue;
      t.equal(violation.rule, rule, `seed ${seed}: ${violation.what}`);
      t.strictSame((await simulate({ seed, ...common })).violation, null, `seed ${seed} as it is meant`);
      return;
    }
    t.fail(`no seed of ${SEEDS} noticed`);
  });
}

void t.test('every rule is broken by something', async (t) => {
  const broken = new Set(MUTATIONS.map(({ rule }) => rule));
  t.strictSame(
    RULES.filter((rule) => !broken.has(rule)),
    [],
  );
});
