// What the soak calls flat.

import fc from 'fast-check';
import t from 'tap';
import { trendOf } from './trend.js';

const usual = { share: 0.05, least: 10 };

t.test('the second half is told as it is, whatever the first one was', async (t) => {
  const property = fc.property(
    fc.integer({ min: -1000, max: 1000 }),
    fc.integer({ min: -50, max: 50 }),
    fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 40 }),
    (from, step, before) => {
      const line = before.map((_, at) => from + step * at);
      const { rise, mean } = trendOf([...before, ...line], usual);
      const middle = from + (step * (line.length - 1)) / 2;
      return Math.abs(rise - step * (line.length - 1)) < 1e-6 && Math.abs(mean - middle) < 1e-6;
    },
  );
  fc.assert(property);
  t.pass('100 runs');
});

t.test('flat is what stays within a share of its mean, or within the least amount', async (t) => {
  t.ok(trendOf([0, 0, 100, 100, 100], usual).flat, 'what rose before does not count');
  t.ok(trendOf([1000, 900, 800, 700], usual).flat, 'falling is flat');
  t.ok(trendOf([0, 0, 0, 1000, 1020, 1040], usual).flat, 'four of a hundred');
  t.notOk(trendOf([0, 0, 0, 1000, 1030, 1060], usual).flat, 'six of a hundred');
  t.ok(trendOf([0, 0, 0, 1, 5, 9], usual).flat, 'hardly anything');
  t.notOk(trendOf([0, 0, 0, 1, 8, 15], usual).flat);
  t.ok(trendOf([100, 160, 165, 100, 130, 160], usual).flat, 'had again what was handed back');
  t.notOk(trendOf([100, 110, 120, 130, 140, 150], usual).flat, 'what rises all the time');
  t.ok(trendOf([], usual).flat, 'nothing was measured');
  t.ok(trendOf([7], usual).flat);
});
