// Which of two hosts is left that do not reach each other.

import t from 'tap';
import { UNLINKED_AGAIN_MS } from '../../../../engine/limits.js';
import { Unlinked } from '../../../../engine/worker/remote/unlinked.js';

t.test('a link that is lost once is made anew, and nobody is suspected', (t) => {
  const unlinked = new Unlinked();
  t.equal(unlinked.lost('a', 'b', 0), null);
  t.equal(unlinked.lost('b', 'c', 1000), null);
  t.equal(unlinked.lost('a', 'b', UNLINKED_AGAIN_MS + 1), null, 'the first one is long ago');
  t.end();
});

t.test('lost again it is the host that more of the others do not reach', (t) => {
  const unlinked = new Unlinked();
  for (const other of ['b', 'c', 'd']) unlinked.lost('a', other, 0);
  unlinked.lost('b', 'c', 0);
  t.equal(unlinked.lost('d', 'a', 1000), 'a', 'whichever tells of it');
  t.equal(unlinked.lost('a', 'b', 2000), null, 'its workers are being moved: that begins anew');
  t.equal(unlinked.lost('c', 'b', 3000), 'b', 'who had to do with the other one is judged by what is left');
  t.end();
});

t.test('of two of which nothing else is known it is always the same one', (t) => {
  for (const [one, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const unlinked = new Unlinked();
    unlinked.lost(one, other, 0);
    t.equal(unlinked.lost(other, one, 1), 'b');
  }
  t.end();
});
