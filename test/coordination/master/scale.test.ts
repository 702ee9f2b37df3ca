// Planning looks at hosts about as often as there are workers to be placed, however many hosts there are: ten times as
// many of both cost about ten times as much. Looks are counted, never time.

import t from 'tap';
import { crowd, plan, withoutSome } from './scale.js';

/** Looks for a first plan, for one without a tenth of the hosts, and for one in which nothing happens. */
function looks(count: number): readonly number[] {
  const all = crowd(count);
  const first = plan(all, new Map());
  const lost = plan(withoutSome(all), first.after);
  const quiet = plan(withoutSome(all), lost.after);
  t.ok([...lost.after.values()].every(({ places }, index) => places.length === all.wishes[index]!.workers));
  t.strictSame([...quiet.after.values()], [...lost.after.values()], 'what is as it should be stays');
  return [first, lost, quiet].map(({ room }) => room.looks);
}

void t.test('the cost of planning grows with what is placed', (t) => {
  const small = looks(100);
  const large = looks(1000);
  t.comment(`looks at 100 hosts: ${small.join(', ')}; at 1000: ${large.join(', ')}`);
  large.forEach((count, index) => t.ok(count <= small[index]! * 15, `${count} looks instead of ${small[index]}`));
  const workers = 1000 * 8 * 0.75;
  t.ok(large[0]! <= workers * 40, 'a few for each worker, through heaps of a thousand');
  t.end();
});
