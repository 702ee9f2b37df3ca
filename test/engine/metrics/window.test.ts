// Samples over a window that ends now.

import t from 'tap';
import { Window } from '../../../engine/metrics/window.js';

t.test('a window begins at the oldest sample that is kept, and keeps one each time that it is due', async (t) => {
  const window = new Window<number>(1000, 10);
  t.equal(window.oldest, null);
  let taken = 0;
  const offer = (atMs: number): void => window.offer(atMs, () => ++taken);
  offer(5);
  t.strictSame(window.oldest, { atMs: 5, figures: 1 });
  offer(1004);
  t.equal(taken, 1, 'none is taken before it is due');
  for (let second = 1; second <= 9; second++) offer(5 + second * 1000);
  t.strictSame([taken, window.oldest], [10, { atMs: 5, figures: 1 }]);
  offer(10_005);
  t.strictSame([taken, window.oldest], [11, { atMs: 1005, figures: 2 }]);
  offer(60_000);
  t.strictSame(window.oldest, { atMs: 2005, figures: 3 }, 'one that comes late takes one place, too');
});
