// What was wished last, and who waits for it.

import t from 'tap';
import { Activation } from '../../../engine/worker/activation.js';

/** Names of the promises that are settled by now. */
function watcher() {
  const settled: string[] = [];
  return { settled, watch: (name: string, done: Promise<void>) => void done.then(() => settled.push(name)) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('who waits for a wish is told when it, or a later one, is carried out', async (t) => {
  const activation = new Activation();
  const { settled, watch } = watcher();
  t.equal(activation.change(true), false, 'that is how it begins');
  watch('first', activation.done());
  t.equal(activation.change(false), true);
  t.equal(activation.change(false), false);
  watch('off', activation.done());
  t.equal(activation.change(true), true);
  watch('on', activation.done());
  await turn();
  t.strictSame(settled, []);
  activation.confirm(1);
  await turn();
  t.strictSame(settled, ['first']);
  activation.confirm(3);
  await turn();
  t.strictSame(settled, ['first', 'off', 'on']);
  await activation.done();
  activation.change(false);
  watch('never', activation.done());
  activation.end();
  await activation.done();
  t.strictSame(settled.slice(3), ['never']);
});
