// The last errors of a topology and of each of its components.

import t from 'tap';
import { toWire } from '../../../engine/errors.js';
import { COMPONENT_ERRORS_KEPT_MAX, ERRORS_KEPT_MAX } from '../../../engine/limits.js';
import { KeptErrors, WORKER } from '../../../engine/worker/kept-errors.js';

const report = (component: string, message: string) => ({
  component,
  task: 0,
  count: 1,
  error: toWire(new Error(message)),
});

t.test('both lists are bounded, and a noisy component does not push out the others', async (t) => {
  const errors = new KeptErrors();
  errors.add(report('quiet', 'once'), 5, 5);
  for (let n = 0; n < 2 * ERRORS_KEPT_MAX; n++) errors.add(report('noisy', `${n}`), 10 + n, 10 + n);
  t.equal(errors.all.length, ERRORS_KEPT_MAX);
  t.equal(errors.all.at(-1)?.error.message, `${2 * ERRORS_KEPT_MAX - 1}`, 'oldest first');
  t.match(errors.of('quiet'), [{ atMs: 5, error: { message: 'once' } }]);
  t.equal(errors.of('noisy').length, COMPONENT_ERRORS_KEPT_MAX);
  t.equal(errors.of('noisy')[0]?.error.message, `${2 * ERRORS_KEPT_MAX - 1}`, 'newest first');
  t.strictSame(errors.of('nobody'), []);
});

t.test('the last error of some components since a moment', async (t) => {
  const errors = new KeptErrors();
  errors.add(report('a', 'early'), 0, 1);
  errors.add(report('b', 'other'), 0, 2);
  errors.add(report('a', 'late'), 0, 3);
  errors.add(report('c', 'last'), 0, 4);
  t.equal(errors.lastSince(new Set(['a', 'b']), 0)?.error.message, 'late');
  t.equal(errors.lastSince(new Set(['b']), 2)?.error.message, 'other');
  t.equal(errors.lastSince(new Set(['b']), 3), null);
});

t.test('alike deaths are one entry, the same object, which counts', async (t) => {
  const errors = new KeptErrors();
  const died = toWire(new Error('died'));
  errors.addDeath(died, null, true, 0, 0);
  const [first] = errors.all;
  errors.addDeath(died, null, true, 1, 1);
  errors.addDeath(died, null, true, 2, 2);
  t.equal(errors.all.length, 1);
  t.equal(errors.all[0], first);
  t.equal(first?.count, 3);
  errors.addDeath(died, null, false, 3, 3);
  t.equal(errors.of(WORKER).length, 2);
  errors.addDeath(died, { component: 'a', task: 4, stage: null }, true, 4, 4);
  errors.addDeath(died, { component: 'a', task: null, stage: null }, true, 5, 5);
  t.match(errors.of('a'), [{ task: 4, count: 2 }], 'of the component that it died of');
  errors.addDeath(toWire(new Error('otherwise')), { component: 'a', task: null, stage: null }, true, 6, 6);
  t.match(errors.of('a'), [{ task: -1, count: 1 }, { count: 2 }]);
});
