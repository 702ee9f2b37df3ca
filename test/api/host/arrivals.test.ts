// Who waits for a topology to run: told when it does, let go after a while, and never more than the bound.

import t from 'tap';
import { Arrivals } from '../../../api/host/arrivals.js';
import { VirtualClock } from '../../../engine/clock.js';
import { ARRIVALS_AWAITED_MAX, ARRIVAL_WAIT_MS } from '../../../engine/limits.js';

const stays = (): AbortSignal => new AbortController().signal;

/** Whether that promise has settled once all that waits for nothing has run. */
async function settled(promise: Promise<void>): Promise<boolean> {
  let is = false;
  promise.then(
    () => (is = true),
    () => (is = true),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return is;
}

t.test('those who wait for a name are told when it arrives, and nobody else', async (t) => {
  const arrivals = new Arrivals(new VirtualClock());
  const [one, two, other] = ['words', 'words', 'counts'].map((name) => arrivals.next(name, stays()));
  arrivals.arrived('words');
  await one;
  await two;
  t.notOk(await settled(other!));
  arrivals.arrived('counts');
  await other;
});

t.test('who has waited long enough is let go', async (t) => {
  const clock = new VirtualClock();
  const waiting = new Arrivals(clock).next('words', stays());
  clock.step(ARRIVAL_WAIT_MS - 1);
  t.notOk(await settled(waiting));
  while (clock.step(ARRIVAL_WAIT_MS + 1));
  await waiting;
});

t.test('who leaves hears the reason, and keeps no place', async (t) => {
  const arrivals = new Arrivals(new VirtualClock());
  const leaving = new AbortController();
  const waiting = arrivals.next('words', leaving.signal);
  leaving.abort(new Error('gone'));
  await t.rejects(waiting, { message: 'gone' });
  await t.rejects(arrivals.next('words', leaving.signal), { message: 'gone' });
  const all = Array.from({ length: ARRIVALS_AWAITED_MAX }, () => arrivals.next('words', stays()));
  await arrivals.next('words', stays());
  t.pass('one more does not wait');
  arrivals.arrived('words');
  await Promise.all(all);
});
