// How the command shows things: numbers, the progress line, the summary, errors; and how it reads its arguments.

import fc from 'fast-check';
import t from 'tap';
import { parseSetting, parseWorkers } from '../../../api/cli/arguments.js';
import { formatError, formatReport } from '../../../api/cli/error-text.js';
import { exitCodeOf } from '../../../api/cli/exit.js';
import { formatCount, formatMs, formatSeconds, formatShort } from '../../../api/cli/numbers.js';
import { formatProgress, progressObject, Rate } from '../../../api/cli/progress.js';
import { ErrorNews } from '../../../api/cli/reports.js';
import { formatSummary, summaryOf } from '../../../api/cli/summary.js';
import { failure, toWire } from '../../../engine/errors.js';
import { statusWith } from './fakes.js';

t.test('numbers', (t) => {
  t.strictSame([0, 999, 1000, 1_234_567].map(formatCount), ['0', '999', '1,000', '1,234,567']);
  t.strictSame([0, 940, 1000, 12_520, 999_900, 1_200_000, 3e9].map(formatShort), [
    '0',
    '940',
    '1k',
    '12.5k',
    '1000k',
    '1.2M',
    '3G',
  ]);
  t.strictSame([0, 0.004, 0.42, 3.14, 12, 1500, 12_400].map(formatMs), [
    '0.00 ms',
    '<0.01 ms',
    '0.42 ms',
    '3.1 ms',
    '12 ms',
    '1.5 s',
    '12 s',
  ]);
  t.strictSame([0.5, 12.34, 65, 7500].map(formatSeconds), ['0.50 s', '12.3 s', '1 min 5 s', '2 h 5 min']);
  t.end();
});

t.test('the progress line has rate, acked, failed, in flight and p99, and fits', (t) => {
  const status = statusWith({ seconds: 61, openTrees: 512 });
  const whole = 'words  12.5k tuples/s  acked 21,930  failed 3  in flight 512  p99 3.2 ms  1 min 1 s';
  t.equal(formatProgress(status, 12_500, 200), whole);
  t.equal(formatProgress(status, 12_500, whole.length), whole);
  t.equal(formatProgress(status, 12_500, whole.length - 1), whole.slice(0, whole.lastIndexOf('  ')));
  t.equal(formatProgress({ ...status, state: 'draining' }, 0, 14), 'words draining');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 120 }), (columns) => formatProgress(status, 1e6, columns).length <= columns),
  );
  t.match(progressObject(status, 12_500.4), {
    type: 'progress',
    topology: 'words',
    tuplesPerSecond: 12_500,
    acked: 21_930,
    failed: 3,
    inFlight: 512,
    p99Ms: 3.2,
  });
  t.end();
});

t.test('the rate is taken over the last few looks', (t) => {
  const rate = new Rate();
  t.equal(rate.next(1, 100), 0);
  t.equal(rate.next(2, 300), 200);
  t.equal(rate.next(2, 300), 200);
  t.equal(rate.next(3, 300), 100);
  for (let second = 4; second < 20; second++) rate.next(second, 300);
  t.equal(rate.next(20, 300), 0);
  t.equal(rate.next(21, 0), 0, 'counters of a replaced worker never show a negative rate');
  t.end();
});

t.test('the summary for programs keeps its contract', (t) => {
  const status = statusWith({});
  const summary = summaryOf({ topology: 'words', end: 'completed', seconds: 1.23456, status, error: null });
  t.match(summary, {
    type: 'summary',
    topology: 'words',
    status: 'completed',
    seconds: 1.235,
    components: {
      lines: { emitted: 21_933, executed: 0, acked: 21_930, failed: 3 },
      split: { emitted: 215_000, executed: 21_933, acked: 21_930, failed: 3 },
    },
    error: null,
  });
  t.strictSame(Object.keys(summary.components['lines'] ?? {}), ['emitted', 'executed', 'acked', 'failed']);
  const error = toWire(failure('MILLRACE_RUN_FILE_KIND', { file: 'a.yaml' }));
  t.match(summaryOf({ topology: null, end: 'failed', seconds: 0, status: null, error }), {
    topology: null,
    status: 'failed',
    components: {},
    completeLatency: null,
    error: { code: 'MILLRACE_RUN_FILE_KIND', message: /a\.yaml/ },
  });
  t.end();
});

t.test('the summary for people is a table', (t) => {
  const status = statusWith({ workers: 2 });
  t.equal(
    formatSummary({ topology: 'words', end: 'completed', seconds: 2.5, status, error: null }),
    `words completed after 2.50 s on 2 workers

component  kind   tasks  emitted  executed   acked  failed
lines      spout      1   21,933         -  21,930       3
split      bolt       2  215,000    21,933  21,930       3

tuple trees: 21,930 acked, 3 failed; from emit to ack: p50 1.0 ms, p99 3.2 ms, max 250 ms`,
  );
  t.equal(
    formatSummary({ topology: null, end: 'failed', seconds: 0, status: null, error: null }),
    'the topology failed after 0.00 s',
  );
  t.end();
});

t.test('an error has its code, its problems by path, and its hint last', (t) => {
  const problems = [{ code: 'MILLRACE_A', path: 'bolts.count', message: 'is wrong', hint: 'mend it' }];
  const details = { topology: 'words', count: 1, list: '' };
  const wire = { ...toWire(failure('MILLRACE_TOPOLOGY_INVALID', details, { problems })), stack: null };
  t.equal(
    formatError({ ...wire, message: 'wrong', hint: 'look' }),
    'error MILLRACE_TOPOLOGY_INVALID: wrong\n  bolts.count: is wrong [MILLRACE_A]\n    hint: mend it\nhint: look',
  );
  t.match(formatError(toWire(new TypeError('a fault of ours'))), /^error TypeError: a fault of ours\n {4}at /);
  t.end();
});

t.test('a report of a component names it, and shows the frames of its own code', (t) => {
  const stack = 'Error: x\n    at Words.execute (/elsewhere/words.ts:3:5)\n    at node:internal/x:1:1';
  const error = { ...toWire(new Error('x')), code: 'MILLRACE_A', stack };
  t.equal(
    formatReport({ component: 'split', task: 4, count: 1200, error }),
    'error MILLRACE_A in component "split" (task 4): x (1,200 times since the last report)\n' +
      '    at Words.execute (/elsewhere/words.ts:3:5)',
  );
  const named = { ...error, message: 'execute of component "split" (task 4) threw: x', stack: null };
  t.equal(formatReport({ component: 'split', task: 4, count: 1, error: named }), `error MILLRACE_A: ${named.message}`);
  const half = { ...error, message: 'component "split" emitted too much', stack: null };
  t.equal(
    formatReport({ component: 'split', task: 4, count: 1, error: half }),
    `error MILLRACE_A in task 4: ${half.message}`,
  );
  t.end();
});

t.test('errors are told once each', (t) => {
  const news = new ErrorNews();
  const report = (component: string, task: number, fatal = false): Parameters<ErrorNews['next']>[0][number] => ({
    component,
    task,
    count: 1,
    error: { ...toWire(new Error('x')), fatal },
  });
  const first = report('a', 1);
  const second = report('a', 1);
  t.strictSame(news.next([first]), [first]);
  t.strictSame(news.next([first, second, report('(worker)', -1), report('b', 2, true)]), [second]);
  t.strictSame(news.next([first, second]), []);
  t.end();
});

t.test('--workers', (t) => {
  t.equal(parseWorkers('1'), 1);
  t.equal(parseWorkers('256'), 256);
  for (const text of ['0', '-1', '1.5', '', 'two', '257', '1e2', '0x2']) {
    t.throws(() => parseWorkers(text), { code: 'MILLRACE_CLI_USAGE' }, text);
  }
  t.end();
});

t.test('--set', (t) => {
  const read = (...texts: string[]): unknown => texts.reduce((before, text) => parseSetting(text, before), {});
  t.strictSame(read('a=1', 'b=true', 'c=null', 'd=10s', 'e="1"', 'f=[1,2]', 'g={"h":1}', 'i=', 'j=a=b'), {
    a: 1,
    b: true,
    c: null,
    d: '10s',
    e: '1',
    f: [1, 2],
    g: { h: 1 },
    i: '',
    j: 'a=b',
  });
  t.strictSame(read('lines.path=a', 'lines.path=b'), { 'lines.path': 'b' });
  t.strictSame(read('id=12345678901234567890'), { id: '12345678901234567890' });
  t.ok(Object.hasOwn(parseSetting('__proto__=1'), '__proto__'));
  for (const text of ['', 'a', '=1', ' =1', '.a=1', 'a.=1']) {
    t.throws(() => parseSetting(text), { code: 'MILLRACE_CLI_USAGE' }, text);
  }
  t.end();
});

t.test('exit codes', (t) => {
  const ending = (code: string, paths: string[] = []): number =>
    exitCodeOf({ code, problems: paths.map((path) => ({ code: '', path, message: '', hint: '' })) });
  t.equal(ending('MILLRACE_CLI_USAGE'), 2);
  t.equal(ending('MILLRACE_RUN_FILE_KIND'), 2);
  t.equal(ending('MILLRACE_RUN_FILE_MISSING'), 3);
  t.equal(ending('MILLRACE_BUNDLE_SYNTAX'), 1);
  t.equal(ending('MILLRACE_TOPOLOGY_INVALID', ['bolts.a']), 1);
  t.equal(ending('MILLRACE_TOPOLOGY_INVALID', ['settings["lines.pth"]', 'settings.wokers']), 2);
  t.equal(ending('MILLRACE_TOPOLOGY_INVALID', ['settings.wokers', 'bolts.a']), 1);
  t.end();
});
