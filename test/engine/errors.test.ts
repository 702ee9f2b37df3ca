// The catalogue of errors, and how errors cross threads.

import fc from 'fast-check';
import t from 'tap';
import {
  catalogue,
  failure,
  fromWire,
  inComponent,
  isMillraceError,
  MillraceError,
  problem,
  reasonOf,
  toWire,
  type ErrorCode,
} from '../../engine/errors.js';

const codes = Object.keys(catalogue) as ErrorCode[];

/** The placeholders of a code, each filled with a text of its own. */
function detailsOf(code: ErrorCode): Record<string, string> {
  const { message, hint } = catalogue[code];
  const names = [...`${message}${hint}`.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  return Object.fromEntries(names.map((name) => [name, `<${name}>`]));
}

t.test('every entry has a message, a hint and a status, and its placeholders are filled', async (t) => {
  for (const code of codes) {
    const entry = catalogue[code];
    t.match(code, /^MILLRACE_[A-Z0-9]+(_[A-Z0-9]+)+$/);
    t.ok(entry.message.length > 0 && entry.hint.length > 0, code);
    t.ok(Number.isInteger(entry.status) && entry.status >= 400 && entry.status < 600, code);
    t.notMatch(entry.message, /[.!]$/, `${code}: no full stop`);
    t.equal(entry.message.replace(/\{\w+\}/g, '').match(/[{}]/), null, `${code}: no stray braces`);
    const error = failure(code, detailsOf(code) as never);
    t.notMatch(`${error.message} ${error.hint}`, /\{\w+\}/, code);
    for (const filled of Object.values(detailsOf(code))) t.ok(`${error.message} ${error.hint}`.includes(filled), code);
    t.equal(error.status, entry.status);
    t.equal(error.code, code);
  }
});

t.test('what a placeholder is filled with is not filled again', async (t) => {
  const error = failure('MILLRACE_FRAME_INVALID', { reason: '{reason} {other} $& $1' });
  t.equal(error.message, 'a frame was refused: {reason} {other} $& $1');
});

t.test('errors of the catalogue cross threads as they are', async (t) => {
  const property = fc.property(fc.constantFrom(...codes), fc.boolean(), fc.nat(3), (code, fatal, count) => {
    const problems = Array.from({ length: count }, (_, i) =>
      problem('MILLRACE_FRAME_INVALID', `a[${i}]`, { reason: 'x' }),
    );
    const error = failure(code, detailsOf(code) as never, { fatal, problems, cause: new Error('why') });
    const back = fromWire(structuredClone(toWire(error)));
    if (!isMillraceError(back)) return false;
    const same = (['name', 'code', 'message', 'hint', 'status', 'fatal', 'stack'] as const).every(
      (key) => back[key] === error[key],
    );
    return same && JSON.stringify(back.problems) === JSON.stringify(problems);
  });
  fc.assert(property);
  t.pass('100 runs');
});

t.test('other errors keep their name, code, message and stack', async (t) => {
  const error = Object.assign(new TypeError('no such file'), { code: 'ENOENT' });
  const back = fromWire(structuredClone(toWire(error))) as Error & { code?: string };
  t.match(back, { name: 'TypeError', code: 'ENOENT', message: 'no such file', stack: error.stack! });
  t.notOk(isMillraceError(back));
  const invented = fromWire({ ...toWire(error), code: 'MILLRACE_NOT_A_CODE' });
  t.notOk(isMillraceError(invented), 'a code that is not in the catalogue makes a plain error');
  t.notOk(isMillraceError(fromWire({ ...toWire(error), code: 'toString' })));
});

t.test('an error of another copy of this package is known', async (t) => {
  const copy = Object.assign(new Error('x'), {
    [Symbol.for('millrace.error')]: true,
    code: 'MILLRACE_FRAME_INVALID',
    hint: 'h',
    fatal: true,
    problems: [],
  });
  t.ok(isMillraceError(copy));
  t.match(toWire(copy), { code: 'MILLRACE_FRAME_INVALID', hint: 'h', fatal: true });
  for (const other of [null, undefined, 1, 'x', {}, new Error('x')]) t.notOk(isMillraceError(other));
});

t.test('whatever is thrown has a reason and can cross', async (t) => {
  class Silent extends Error {
    override readonly name = 'Silent';
  }
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error('trap');
      },
    },
  );
  const thrown: readonly (readonly [unknown, string | RegExp])[] = [
    [new Error('plain'), 'plain'],
    [new Silent(), 'Silent'],
    ['text', 'text'],
    [7, '7'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('s'), 'Symbol(s)'],
    [{ message: 'like an error' }, 'like an error'],
    [{ message: 5 }, '5'],
    [{ message: Object.create(null) as unknown }, /./],
    [Object.create(null), /./],
    [
      {
        toString: () => {
          throw new Error('no');
        },
      },
      /./,
    ],
    [Object.assign(new Error('x'), { message: () => 1 }), /./],
    [Object.assign(new Error('x'), { stack: 1, name: {}, code: 5 }), 'x'],
    [
      {
        get message() {
          throw new Error('no');
        },
      },
      /./,
    ],
    [trap, /./],
  ];
  for (const [each, reason] of thrown) {
    t.match(reasonOf(each), reason);
    t.equal(typeof reasonOf(each), 'string');
    const wire = structuredClone(toWire(each));
    t.type(fromWire(wire), Error);
    t.equal(wire.message, reasonOf(each));
  }
});

t.test('problems name their path and may have a hint of their own', async (t) => {
  t.match(problem('MILLRACE_FRAME_INVALID', 'a.b', { reason: 'r' }), {
    path: 'a.b',
    message: 'a frame was refused: r',
  });
  t.equal(problem('MILLRACE_FRAME_INVALID', 'a', { reason: 'r' }, 'own').hint, 'own');
});

t.test('an error keeps its cause', async (t) => {
  const cause = new Error('why');
  t.equal(failure('MILLRACE_FRAME_INVALID', { reason: 'r' }, { cause }).cause, cause);
  t.notOk('cause' in new MillraceError('MILLRACE_FRAME_INVALID', 'm', 'h'));
});

t.test('an error names the component that it came from, once', async (t) => {
  const wire = toWire(failure('MILLRACE_FILE_MISSING', { path: 'lines', resolved: '/lines' }, { fatal: true }));
  const named = inComponent(wire, 'lines');
  t.strictSame(named, { ...wire, message: 'component "lines": file "lines" does not exist' });
  t.equal(inComponent(named, 'lines'), named);
  const details = { call: 'open', component: 'lines', reason: 'odd' };
  const start = toWire(failure('MILLRACE_WORKER_START', details));
  t.equal(inComponent(start, 'lines'), start);
});
