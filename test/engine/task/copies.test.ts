// Each component has classes of its own, up to a bound; what tells a task's kind works for all of them.

import t from 'tap';
import { COMPONENT_COPIES_MAX } from '../../../engine/limits.js';
import { isBolt, isSpout, loadTaskClasses, taskClassesOf } from '../../../engine/task/copies.js';

t.test('components have classes of their own, from their base on; beyond the bound they share', async (t) => {
  await loadTaskClasses(2);
  await loadTaskClasses(COMPONENT_COPIES_MAX + 5);
  const classes = Array.from({ length: COMPONENT_COPIES_MAX }, (_, component) => taskClassesOf(component));
  t.equal(new Set(classes.map(({ BoltTask }) => BoltTask)).size, COMPONENT_COPIES_MAX);
  t.equal(new Set(classes.map(({ SpoutTask }) => SpoutTask)).size, COMPONENT_COPIES_MAX);
  const dealers = classes.map(({ BoltTask }) => BoltTask.prototype.wire);
  t.equal(new Set(dealers).size, COMPONENT_COPIES_MAX, 'what they inherit is of their copy');
  t.equal(taskClassesOf(0).BoltTask.prototype.wire, taskClassesOf(0).SpoutTask.prototype.wire);
  t.equal(taskClassesOf(COMPONENT_COPIES_MAX + 1), taskClassesOf(1));
});

t.test('a task is told by its kind', async (t) => {
  const { BoltTask, SpoutTask } = taskClassesOf(3);
  const bolt = Object.assign(Object.create(BoltTask.prototype) as InstanceType<typeof BoltTask>, { kind: 'bolt' });
  const spout = Object.assign(Object.create(SpoutTask.prototype) as InstanceType<typeof SpoutTask>, { kind: 'spout' });
  t.strictSame([isBolt(bolt), isSpout(bolt), isBolt(spout), isSpout(spout)], [true, false, false, true]);
  t.strictSame([isBolt(undefined), isSpout(undefined)], [false, false]);
});
