// The checker of nemesis runs finds what is wrong with a log: each rule with a forged one, and nothing in a good one.

import t from 'tap';
import { holdsOf, violationsIn, type Violation } from './check.js';
import type { NemesisEvent, NemesisFact, Prize } from './events.js';

const GRACE = { graceMs: 100 };

const at = (atMs: number, who: string, fact: NemesisFact): NemesisEvent => ({ ...fact, atMs, who });
const holds = (atMs: number, who: string, token: number, prize: Prize = 'leader'): NemesisEvent =>
  at(atMs, who, { type: 'holds', prize, token: String(token) });
const wrote = (atMs: number, who: string, token: number, revision: number, prize: Prize = 'leader'): NemesisEvent =>
  at(atMs, who, { type: 'wrote', prize, token: String(token), revision: String(revision) });
const asked = (atMs: number, who: string, call: number): NemesisEvent =>
  at(atMs, who, { type: 'asked', call, what: 'get', timeoutMs: 1000 });
const answered = (atMs: number, who: string, call: number): NemesisEvent =>
  at(atMs, who, { type: 'answered', call, outcome: 'ok' });
const saw = (atMs: number, who: string, revision: number, session = 's1'): NemesisEvent =>
  at(atMs, who, { type: 'saw', session, revision: String(revision) });
const runner = (atMs: number, fact: NemesisFact): NemesisEvent => at(atMs, 'runner', fact);

/** A run in which everything went as it has to, out of order as files come. */
const good: readonly NemesisEvent[] = [
  runner(0, { type: 'started', whom: 'a' }),
  runner(0, { type: 'started', whom: 'b' }),
  holds(10, 'a', 1),
  holds(20, 'a', 1),
  wrote(15, 'a', 1, 100),
  wrote(22, 'a', 1, 101),
  asked(15, 'a', 1),
  runner(25, { type: 'fault', fault: 'kill', target: 'a' }),
  runner(25, { type: 'killed', whom: 'a' }),
  runner(25, { type: 'exited', whom: 'a', code: null }),
  holds(2000, 'b', 2),
  wrote(2001, 'b', 2, 102),
  holds(30, 'b', 7, 'lock'),
  wrote(31, 'b', 7, 99, 'lock'),
  saw(40, 'b', 101),
  saw(2010, 'b', 102),
  saw(2011, 'b', 101, 's2'),
  saw(2012, 'b', 103, 's2'),
  asked(2000, 'b', 1),
  answered(2900, 'b', 1),
  runner(3000, { type: 'paused', whom: 'b' }),
  asked(2999, 'b', 2),
  answered(9100, 'b', 2),
  runner(9000, { type: 'resumed', whom: 'b' }),
  runner(9500, { type: 'quiet', revision: '103' }),
  runner(9600, { type: 'exited', whom: 'b', code: 0 }),
].toReversed();

const rules = (...more: readonly NemesisEvent[]): readonly Violation['rule'][] =>
  violationsIn([...good, ...more], GRACE).map(({ rule }) => rule);

void t.test('nothing is found in a good log', (t) => {
  t.strictSame(violationsIn(good, GRACE), []);
  t.match(holdsOf(good, 'leader'), [
    { who: 'a', token: 1n, fromMs: 10, toMs: 20 },
    { who: 'b', token: 2n },
  ]);
  t.end();
});

void t.test('two that hold at once', (t) => {
  t.strictSame(rules(holds(1999, 'a', 1)), []);
  t.strictSame(rules(holds(2000, 'a', 1)), ['held-twice']);
  t.strictSame(rules(holds(15, 'b', 9)), ['held-twice'], 'inside of another');
  t.strictSame(rules(holds(5, 'b', 1), holds(2005, 'b', 1)), ['held-twice', 'held-twice'], 'around others');
  t.strictSame(rules(holds(3000, 'c', 2)), ['held-twice'], 'with one token, one after the other');
  t.strictSame(rules(holds(15, 'a', 8, 'lock')), ['token-backwards'], 'prizes are apart from each other');
  t.end();
});

void t.test('a later holder without a higher token', (t) => {
  t.strictSame(rules(holds(2500, 'c', 0)), ['token-backwards']);
  t.strictSame(rules(holds(2500, 'c', 3)), []);
  t.end();
});

void t.test('fenced writes out of order', (t) => {
  t.strictSame(rules(wrote(2500, 'a', 1, 103)), ['write-backwards'], 'a deposed leader wrote');
  t.strictSame(rules(wrote(2500, 'a', 1, 98)), [], 'told late, done in time');
  t.strictSame(rules(wrote(2500, 'b', 2, 102)), ['revision-twice']);
  t.end();
});

void t.test('watches that go back, or lose the last state', (t) => {
  t.strictSame(rules(saw(2013, 'b', 102, 's2'), saw(2014, 'b', 103, 's2')), ['watch-backwards']);
  t.strictSame(rules(runner(9501, { type: 'started', whom: 'c' })), ['watch-lost'], 'one saw nothing');
  t.strictSame(rules(runner(9502, { type: 'quiet', revision: '104' })), ['watch-lost']);
  t.end();
});

void t.test('calls without an answer in time', (t) => {
  t.strictSame(rules(asked(4000, 'c', 1), answered(5100, 'c', 1)), []);
  t.strictSame(rules(asked(4000, 'c', 1), answered(5101, 'c', 1)), ['late']);
  t.strictSame(rules(asked(4000, 'c', 1)), ['late'], 'none at all');
  t.strictSame(rules(asked(8900, 'c', 1)), [], 'the run was over before its time was');
  t.strictSame(rules(asked(4000, 'c', 1), runner(4500, { type: 'killed', whom: 'c' })), [], 'its process was killed');
  t.strictSame(rules(asked(4000, 'c', 1), runner(4500, { type: 'paused', whom: 'c' })), [], 'or stopped for good');
  t.end();
});

void t.test('errors that nobody caught, and processes that do not end well', (t) => {
  t.strictSame(rules(at(5, 'b', { type: 'uncaught', message: 'oops' })), ['uncaught']);
  t.strictSame(rules(runner(9700, { type: 'stuck', whom: 'b' })), ['stuck']);
  t.strictSame(rules(runner(9700, { type: 'exited', whom: 'c', code: 1 })), ['stuck']);
  t.end();
});
