// Plans in which only the spouts are others.

import t from 'tap';
import { handOvers } from '../../../engine/plan/hand-overs.js';
import { planTasks } from '../../../engine/plan/plan.js';
import { spoutsAnew, withoutSpouts } from '../../../engine/plan/spouts.js';
import { Bolt, Spout, topology } from '../../../engine/index.js';
import { describe } from '../../../engine/model/describe.js';

class Lines extends Spout {
  static readonly outputs = ['line'] as const;

  nextTuple(): 'done' {
    return 'done';
  }
}

class Sink extends Bolt {
  execute(): void {
    return undefined;
  }
}

const description = describe(
  topology('spouts', (t) => {
    const one = t.spout('one', Lines, { parallelism: 3 });
    const sink = t.bolt('sink', Sink, { parallelism: 2 }).shuffle(one);
    sink.shuffle(t.spout('two', Lines));
  }),
);

t.test('before any spout is there, only these are missing', async (t) => {
  const plan = planTasks(description, 2);
  const before = withoutSpouts(description, plan);
  t.strictSame(
    before.tasks,
    plan.tasks.filter(({ component }) => component === 'sink'),
  );
  t.equal(before.workers, plan.workers);
  t.equal(before.nextTask, plan.nextTask, 'no number is given twice');
  const over = handOvers(description, before, plan);
  t.strictSame([...over.changed].sort(), ['one', 'two']);
  t.equal(over.leaving.size + over.owners.size + over.waits.size, 0, 'no bolt notices');
  t.equal(over.coming.size, 4);
});

t.test('each spout gives way to one with a new number where it is, and no bolt lets go', async (t) => {
  const before = planTasks(description, 2);
  const after = spoutsAnew(description, before);
  const over = handOvers(description, before, after);
  t.equal(over.spouts.length, 4, 'each for itself');
  for (const { component, before: from, after: to } of over.spouts) {
    t.equal(from.length, 1);
    t.match(to, [{ component, index: from[0]!.index, worker: from[0]!.worker }]);
    t.ok(to[0]!.task >= before.nextTask);
  }
  t.equal(over.owners.size + over.waits.size, 0);
  t.equal(after.nextTask, before.nextTask + 4);
  t.equal(new Set(after.tasks.map(({ task }) => task)).size, after.tasks.length);
});
