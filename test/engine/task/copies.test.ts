// Each component has classes of its own, up to a bound; what tells a task's kind works for all of them.

import t from 'tap';
import { COMPONENT_COPIES_MAX } from '../../../engine/limits.js';
import { boltTaskOf, isBolt, isSpout, loadTaskClasses, spoutTaskOf } from '../../../engine/task/copies.js';

const bolt = { kind: 'bolt' } as const;
const spout = { kind: 'spout' } as const;
const chainOf = (bolts: number) => [{ ...spout }, ...Array.from({ length: bolts }, () => ({ ...bolt }))];

t.test('components have classes of their own, from their base on', async (t) => {
  const components = chainOf(COMPONENT_COPIES_MAX - 1);
  await loadTaskClasses(components.slice(0, 2));
  await loadTaskClasses(components);
  const [first, ...others] = components;
  const classes = others.map((component) => boltTaskOf(components, component));
  t.equal(new Set(classes).size, COMPONENT_COPIES_MAX - 1);
  t.equal(
    new Set(classes.map(({ prototype }) => prototype.wire)).size,
    COMPONENT_COPIES_MAX - 1,
    'and what they inherit',
  );
  t.ok(spoutTaskOf(components, first!).prototype.wire);
});

t.test('in a topology of many components all share one', async (t) => {
  const components = chainOf(COMPONENT_COPIES_MAX);
  await loadTaskClasses(components);
  const [first, ...others] = components;
  t.equal(new Set(others.map((component) => boltTaskOf(components, component))).size, 1);
  t.equal(boltTaskOf(components, others[0]!).prototype.wire, spoutTaskOf(components, first!).prototype.wire);
});

t.test('a task is told by its kind', async (t) => {
  const components = chainOf(1);
  await loadTaskClasses(components);
  const SpoutTask = spoutTaskOf(components, components[0]!);
  const BoltTask = boltTaskOf(components, components[1]!);
  const [one, other] = [Object.create(BoltTask.prototype) as object, Object.create(SpoutTask.prototype) as object];
  const ofBolt = Object.assign(one, bolt) as InstanceType<typeof BoltTask>;
  const ofSpout = Object.assign(other, spout) as InstanceType<typeof SpoutTask>;
  t.strictSame([isBolt(ofBolt), isSpout(ofBolt), isBolt(ofSpout), isSpout(ofSpout)], [true, false, false, true]);
  t.strictSame([isBolt(undefined), isSpout(undefined)], [false, false]);
});
