// Virtual time stands still until it is moved; real time goes on by itself.

import fc from 'fast-check';
import t from 'tap';
import { RealClock, VirtualClock } from '../../engine/clock.js';

t.test('calls run when they are due, in the order of their time, then of their asking', async (t) => {
  const property = fc.property(
    fc.nat(1000),
    fc.array(fc.record({ delayMs: fc.integer({ min: -5, max: 50 }), cancelled: fc.boolean() }), { maxLength: 30 }),
    fc.array(fc.nat(30), { maxLength: 6 }),
    (startMs, asked, moves) => {
      const clock = new VirtualClock(startMs);
      const ran: string[] = [];
      const wanted = asked
        .map(({ delayMs, cancelled }, order) => ({ atMs: startMs + Math.max(0, delayMs), order, cancelled }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      asked.forEach(({ delayMs, cancelled }, order) => {
        const timer = clock.after(delayMs, () => ran.push(`${order} at ${clock.now()}`));
        if (cancelled) timer.cancel();
      });
      let untilMs = startMs;
      for (const move of moves) {
        untilMs += move;
        while (clock.step(untilMs));
        if (clock.now() !== untilMs) throw new Error('time stands elsewhere');
        const due = wanted.filter(({ atMs }) => atMs <= untilMs);
        if (ran.join() !== due.map(({ order, atMs }) => `${order} at ${atMs}`).join()) throw new Error(ran.join());
        const next = wanted.find(({ atMs }) => atMs > untilMs);
        if (clock.nextDueMs() !== next?.atMs) throw new Error('another call is due');
      }
    },
  );
  fc.assert(property);
  t.pass('100 runs');
});

t.test('a call may ask for the next one, and time never goes back', async (t) => {
  const clock = new VirtualClock(10);
  const ticks: number[] = [];
  const tick = (): void => {
    ticks.push(clock.now());
    clock.after(5, tick);
  };
  clock.after(5, tick);
  while (clock.step(30));
  t.strictSame(ticks, [15, 20, 25, 30]);
  t.notOk(clock.step(3));
  t.equal(clock.now(), 30);
});

t.test('a timer that ran or was cancelled may be cancelled again', async (t) => {
  const clock = new VirtualClock();
  let calls = 0;
  const timer = clock.after(1, () => calls++);
  while (clock.step(1));
  timer.cancel();
  timer.cancel();
  t.equal(calls, 1);
  t.equal(clock.nextDueMs(), undefined);
});

t.test('the clock of the machine calls back after the time, unless it was cancelled', async (t) => {
  const clock = new RealClock();
  const startMs = clock.now();
  clock.after(0, () => t.fail('cancelled')).cancel();
  await new Promise<void>((resolve) => clock.after(1, resolve));
  t.ok(clock.now() >= startMs);
});
