// The spout `ingest`, call by call.

import t from 'tap';
import { INGEST, isIngestSpout } from '../../../engine/component/ingest-spout.js';
import { Ingest, ingest } from '../../../engine/connect/ingest/index.js';
import { fakeContext, recorder, thrownBy } from './fakes.js';

/** An ingest spout, with what it answers. */
function spoutOf() {
  const spout = new Ingest({ fields: ['a'] });
  const answers: unknown[][] = [];
  const give = spout[INGEST]((...answer) => answers.push(answer));
  return { spout, give, answers };
}

t.test('records are emitted in order, each with its call as id, and answered once it is known', async (t) => {
  const { spout, give, answers } = spoutOf();
  const { emit, emitted } = recorder();
  t.equal(isIngestSpout(spout), true);
  give(7, ['before it is opened']);
  let woken = 0;
  spout.open({ ...fakeContext(), wake: () => woken++ });
  spout.nextTuple(emit);
  t.equal(spout.nextTuple(emit), undefined, 'it has no end');
  give(8, ['second']);
  give(9, ['third']);
  t.equal(woken, 2);
  for (let n = 0; n < 3; n++) spout.nextTuple(emit);
  t.strictSame(emitted, [
    { values: ['before it is opened'], id: 7 },
    { values: ['second'], id: 8 },
    { values: ['third'], id: 9 },
  ]);
  t.strictSame(answers, []);
  spout.ack(9);
  spout.fail(7, 'timeout');
  spout.fail(8);
  t.strictSame(answers, [
    [9, 'acked', null],
    [7, 'timeout', null],
    [8, 'failed', null],
  ]);
});

t.test('an emit that throws answers with what it threw; what waits is refused when it is deactivated', async (t) => {
  const { spout, give, answers } = spoutOf();
  spout.open(fakeContext());
  for (const call of [1, 2, 3]) give(call, [call]);
  const throwing = Object.assign(
    () => {
      throw new RangeError('too wide');
    },
    { direct: () => undefined, ready: async () => undefined, signal: new AbortController().signal },
  );
  spout.nextTuple(throwing);
  t.strictSame(answers, [[1, 'failed', 'too wide']]);
  spout.deactivate();
  spout.deactivate();
  t.strictSame(answers.slice(1), [
    [2, 'refused', null],
    [3, 'refused', null],
  ]);
});

t.test('its fields are checked where it is made', async (t) => {
  for (const fields of [undefined, [], [''], ['a', 'a'], [1]]) {
    t.match(
      thrownBy(() => new Ingest({ fields })),
      { code: 'MILLRACE_CONNECT_SETTING', message: /ingest/ },
    );
  }
  const { outputs } = ingest({ fields: ['a', 'b'] });
  t.strictSame((outputs as unknown as (inputs: unknown, config: unknown) => unknown)([], { fields: ['c'] }), {
    default: ['c'],
  });
});
