// One call's emit: it says which call it belongs to, and waits through it.

import t from 'tap';
import { EmitCall, type Emitter } from '../../../engine/task/emit-call.js';

t.test('every emit names its call, and so does ready', async (t) => {
  const calls: unknown[] = [];
  const emitter: Emitter = {
    emit: (call, values, options) => calls.push([call, values, options]),
    signalled: (call) => void calls.push([call, 'signal']),
    emitDirect: (call, task, values, options) => calls.push([call, task, values, options]),
    ready: (call) => {
      calls.push([call, 'ready']);
      return Promise.resolve();
    },
  };
  const [one, other] = [new EmitCall(emitter), new EmitCall(emitter)];
  const { emit } = one;
  emit(['a']);
  other.emit(['b'], { stream: 'default' });
  await emit.ready();
  t.equal((calls[0] as unknown[])[0], one);
  t.equal((calls[1] as unknown[])[0], other);
  t.equal((calls[2] as unknown[])[0], one);
  t.strictSame((calls[1] as unknown[]).slice(1), [['b'], { stream: 'default' }]);
  emit.direct(7, ['c'], { stream: 'default' });
  t.strictSame(calls[3], [one, 7, ['c'], { stream: 'default' }]);
  t.match(one, { input: null, open: false, held: null });
});
