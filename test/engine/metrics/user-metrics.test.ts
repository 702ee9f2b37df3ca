// What code measures itself: by name, bounded, refused with a reason, and kept over incarnations.

import t from 'tap';
import { USER_METRIC_NAME_MAX, USER_METRICS_MAX } from '../../../engine/limits.js';
import { KeptUserMetrics } from '../../../engine/metrics/kept-user-metrics.js';
import { UserMetrics } from '../../../engine/metrics/user-metrics.js';

function metricsOf(): { metrics: UserMetrics; changes: () => number } {
  let changes = 0;
  return { metrics: new UserMetrics('check', 3, () => changes++), changes: () => changes };
}

t.test('the same name is the same metric, and every change is told', async (t) => {
  const { metrics, changes } = metricsOf();
  t.strictSame(metrics.figures(), { counters: [], gauges: [], histograms: [] });
  metrics.counter('seen').add();
  metrics.counter('seen').add(2.5);
  metrics.counter('seen').add(0);
  metrics.gauge('unset');
  metrics.gauge('level').set(-7);
  metrics.histogram('size').record(0);
  t.equal(changes(), 5);
  t.strictSame(metrics.figures(), {
    counters: [['seen', 3.5]],
    gauges: [['level', -7]],
    histograms: [['size', { buckets: [0, 1], sum: 0 }]],
  });
});

t.test('names are checked', async (t) => {
  const { metrics } = metricsOf();
  const longest = `a${'b'.repeat(USER_METRIC_NAME_MAX - 1)}`;
  for (const name of ['a', 'A.b-c_9', 'constructor', longest]) metrics.counter(name).add();
  const wrong = ['', '9', '_a', '__proto__', 'a b', 'a"', 'a\n', 'ä', `${longest}x`, undefined, 7, null, {}];
  for (const name of wrong) {
    const error = { code: 'MILLRACE_METRICS_NAME', message: /component "check"/ };
    t.throws(() => metrics.gauge(name as string), error, JSON.stringify(name));
  }
  const kept = new KeptUserMetrics();
  kept.set(3, 0, metrics.figures());
  t.strictSame(Object.entries(kept.of([3]).counters)[2], ['constructor', 1]);
});

t.test('a name is of one kind', async (t) => {
  const { metrics } = metricsOf();
  metrics.counter('seen');
  const error = {
    code: 'MILLRACE_METRICS_KIND',
    message: 'component "check" asked for the gauge "seen", which is a counter already',
  };
  t.throws(() => metrics.gauge('seen'), error);
  t.throws(() => metrics.histogram('seen'), { code: 'MILLRACE_METRICS_KIND' });
});

t.test('only so many, of all kinds together', async (t) => {
  const { metrics } = metricsOf();
  for (let at = 0; at < USER_METRICS_MAX; at++) metrics[at % 2 === 0 ? 'counter' : 'histogram'](`m${at}`);
  const error = { code: 'MILLRACE_METRICS_TOO_MANY', message: /task 3.*"one-more"/ };
  t.throws(() => metrics.gauge('one-more'), error);
  metrics.counter('m0').add();
});

t.test('what is no number is refused, and changes nothing', async (t) => {
  const { metrics, changes } = metricsOf();
  const error = { code: 'MILLRACE_METRICS_VALUE' };
  for (const value of [Number.NaN, Infinity, -Infinity, '1', null, {}, 1n]) {
    const number = value as number;
    t.throws(() => metrics.counter('c').add(number), error);
    t.throws(() => metrics.gauge('g').set(number), error);
    t.throws(() => metrics.histogram('h').record(number), error);
  }
  t.throws(() => metrics.counter('c').add(-1), {
    message: 'the counter "c" of component "check" was given -1',
  });
  t.throws(() => metrics.histogram('h').record(-0.001), error);
  t.equal(changes(), 0);
});

t.test('tasks are added up; a new incarnation goes on counting where the last one ended', async (t) => {
  const kept = new KeptUserMetrics();
  const one = metricsOf().metrics;
  const two = metricsOf().metrics;
  one.counter('seen').add(5);
  one.gauge('level').set(2);
  one.histogram('size').record(1);
  two.counter('seen').add(7);
  two.gauge('level').set(3);
  kept.set(1, 0, one.figures());
  kept.set(2, 0, two.figures());
  t.match(kept.of([1, 2]), {
    counters: { seen: 12 },
    gauges: { level: 5 },
    histograms: { size: { count: 1, sum: 1 } },
  });
  const again = metricsOf().metrics;
  again.counter('seen').add(1);
  again.histogram('size').record(3);
  kept.set(1, 1, again.figures());
  kept.set(1, 0, one.figures());
  t.match(kept.of([1]), { counters: { seen: 6 }, histograms: { size: { count: 2, sum: 4 } } });
  t.strictSame(kept.of([1]).gauges, {}, 'a gauge of one that is gone says nothing');
  t.strictSame(kept.of([9]), { counters: {}, gauges: {}, histograms: {} });
});
