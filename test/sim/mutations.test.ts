// Each rule of the simulation is broken in turn, and a seed of the first few notices it; the same seeds are green when
// nothing is broken.

import t from 'tap';
import { RULES } from './journal.js';
import { MUTATIONS } from './mutations.js';
import { simulate } from './simulate.js';

Error.stackTraceLimit = 0;

const SEEDS = 12;
const common = { hosts: 5, steps: 50 };

void t.test('nothing is broken, and no rule is', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation } = await simulate({ seed, ...common });
    t.strictSame(violation, null, `seed ${seed}`);
  }
});

for (const { name, rule, wiring } of MUTATIONS) {
  void t.test(`${rule}: ${name}`, async (t) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violation } = await simulate({ seed, ...common, wiring });
      if (violation === null) continue;
      t.equal(violation.rule, rule, `seed ${seed}: ${violation.what}`);
      return;
    }
    t.fail(`no seed up to ${SEEDS} noticed`);
  });
}

void t.test('every rule is broken by something', async (t) => {
  const broken = new Set(MUTATIONS.map(({ rule }) => rule));
  t.strictSame(
    RULES.filter((rule) => !broken.has(rule)),
    [],
  );
});
