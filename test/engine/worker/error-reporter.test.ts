// A few reports a second for each component; the rest is counted, and nothing is lost from the sum.

import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { failure, isMillraceError, toWire } from '../../../engine/errors.js';
import { ERRORS_REPORTED_PER_SECOND } from '../../../engine/limits.js';
import { ErrorReporter, startError } from '../../../engine/worker/error-reporter.js';
import type { ErrorReport } from '../../../engine/worker/messages.js';

function reporter(startMs = 0): { clock: VirtualClock; sent: ErrorReport[]; errors: ErrorReporter } {
  const clock = new VirtualClock(startMs);
  const sent: ErrorReport[] = [];
  return { clock, sent, errors: new ErrorReporter(clock, (report) => sent.push(report)) };
}

t.test('an error of user code says which call threw it, and keeps its stack', async (t) => {
  const { sent, errors } = reporter();
  const error = new RangeError('too far');
  errors.report('count', 3, 'execute', error);
  t.match(sent, [
    { component: 'count', task: 3, count: 1, error: { code: 'MILLRACE_TASK_THREW', stack: error.stack! } },
  ]);
  t.match(sent[0]!.error.message, /execute.*"count".*3.*too far/);
  errors.report('count', 3, 'execute', 'just text');
  t.match(sent[1]!.error, { message: /just text/, stack: null });
});

t.test('an error of the catalogue speaks for itself', async (t) => {
  const { sent, errors } = reporter();
  const error = failure('MILLRACE_FRAME_INVALID', { reason: 'x' });
  errors.report('count', 3, 'execute', error);
  t.match(sent[0]!.error, { code: 'MILLRACE_FRAME_INVALID', message: error.message, hint: error.hint });
});

t.test('at most so many a second for each component; the next report counts the rest', async (t) => {
  const property = fc.property(
    fc.double({ min: 0, max: 5000, noNaN: true }),
    fc.array(
      fc.record({
        component: fc.constantFrom('a', 'b'),
        afterMs: fc.integer({ min: 0, max: 900 }),
        times: fc.integer({ min: 1, max: 15 }),
      }),
    ),
    (startMs, steps) => {
      const { clock, sent, errors } = reporter(startMs);
      const thrown = { a: 0, b: 0 };
      const seconds = new Map<string, number>();
      for (const { component, afterMs, times } of steps) {
        clock.step(clock.now() + afterMs);
        for (let i = 0; i < times; i++) {
          const before = sent.length;
          errors.report(component, 0, 'execute', new Error('x'));
          thrown[component]++;
          const key = `${component} ${Math.floor(clock.now() / 1000)}`;
          const count = (seconds.get(key) ?? 0) + 1;
          seconds.set(key, count);
          if (sent.length - before !== (count <= ERRORS_REPORTED_PER_SECOND ? 1 : 0)) return false;
        }
      }
      // A second later each says what it had kept to itself.
      clock.step(clock.now() + 1000);
      for (const component of ['a', 'b'] as const) {
        errors.report(component, 0, 'execute', new Error('x'));
        const sum = sent.filter((each) => each.component === component).reduce((all, each) => all + each.count, 0);
        if (sum !== thrown[component] + 1) return false;
      }
      return true;
    },
  );
  fc.assert(property);
  t.pass('100 runs');
});

t.test('a fatal error is always reported', async (t) => {
  const { sent, errors } = reporter();
  for (let i = 0; i < 100; i++) errors.report('a', 0, 'execute', new Error('x'));
  errors.report('a', 0, 'open', failure('MILLRACE_FRAME_INVALID', { reason: 'x' }, { fatal: true }));
  t.equal(sent.length, ERRORS_REPORTED_PER_SECOND + 1);
  t.match(sent.at(-1), { count: 96, error: { fatal: true } });
});

t.test('an error that ends the topology names its component, any other speaks for itself', async (t) => {
  const { sent, errors } = reporter();
  const details = { path: 'a.txt', resolved: '/a.txt' };
  errors.report('lines', 0, 'nextTuple', failure('MILLRACE_FILE_MISSING', details, { fatal: true }));
  errors.report('lines', 0, 'nextTuple', failure('MILLRACE_FILE_MISSING', details));
  t.strictSame(
    sent.map(({ error }) => error.message),
    ['component "lines": file "a.txt" does not exist', 'file "a.txt" does not exist'],
  );
});

t.test('the error of a component that does not start names it, has a code, and keeps its stack', async (t) => {
  const thrown = new TypeError('no database');
  const ours = startError('constructor', 'count', thrown);
  t.ok(isMillraceError(ours));
  t.match(ours, {
    code: 'MILLRACE_WORKER_START',
    message: 'constructor of component "count" failed: no database',
    stack: thrown.stack,
  });
  const missing = failure('MILLRACE_FILE_MISSING', { path: 'a.txt', resolved: '/a.txt' }, { fatal: true });
  t.strictSame(toWire(startError('open', 'lines', missing)), {
    ...toWire(missing),
    message: 'component "lines": file "a.txt" does not exist',
  });
});
