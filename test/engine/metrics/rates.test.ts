// Rates over the last ten samples.

import t from 'tap';
import { Rates, SAMPLE_EVERY_MS } from '../../../engine/metrics/rates.js';

t.test('a rate is the growth since the oldest sample, ten seconds back at most', async (t) => {
  const rates = new Rates();
  t.strictSame(rates.perSecond(5, [7, 8]), [0, 0], 'nothing to compare with');
  rates.sample(0, [0, 0]);
  t.strictSame(rates.perSecond(0, [3, 4]), [0, 0], 'no time went by');
  t.strictSame(rates.perSecond(500, [3, 4]), [6, 8]);
  for (let second = 1; second <= 30; second++) rates.sample(second * SAMPLE_EVERY_MS, [second * 10, 0]);
  t.strictSame(rates.perSecond(30_500, [300, 0]), [(300 - 210) / 9.5, 0], 'what stopped is seen at once');
  for (let second = 31; second <= 41; second++) rates.sample(second * SAMPLE_EVERY_MS, [300, 0]);
  t.strictSame(rates.perSecond(41_500, [300, 0]), [0, 0], 'and forgotten after ten seconds');
});
