// What a task has to do with a change of the plan: owners let go after all marks, new owners wait for all old ones.

import t from 'tap';
import { HandOver, type HandingOver, type HandOverSetup } from '../../../engine/task/hand-over.js';
import { VirtualClock } from '../../../engine/clock.js';

/** A task that notes what it is told. */
class Handing implements HandingOver {
  readonly clock = new VirtualClock();
  readonly inbox = { takeable: 0 };
  readonly told: string[] = [];
  clear = true;

  drained() {
    this.told.push('drained');
    return this.clock.after(1000, () => this.told.push('expired'));
  }

  isClear(): boolean {
    return this.clear;
  }

  released(): void {
    this.told.push('released');
  }

  letGo(leaves: boolean): void {
    this.told.push(leaves ? 'left' : 'let go');
  }
}

function handOverOf(setup: Partial<HandOverSetup> = {}): HandOver {
  return new HandOver({
    ...{ revision: 3, sources: null, parting: new Set(), waits: [], leaves: false, predecessor: null },
    ...setup,
  });
}

t.test('an owner lets go when all marks have come, nothing waits, and its calls are done', async (t) => {
  const task = new Handing();
  const handOver = handOverOf({ sources: [1, 2], leaves: true });
  handOver.mark(1);
  handOver.mark(2);
  handOver.step(task);
  t.strictSame(task.told, [], 'not before the plan has changed');
  handOver.begin();
  task.inbox.takeable = 1;
  handOver.step(task);
  t.strictSame(task.told, [], 'what stood before the marks goes first');
  task.inbox.takeable = 0;
  task.clear = false;
  handOver.step(task);
  t.strictSame(task.told, ['drained', 'released']);
  task.clear = true;
  handOver.step(task);
  handOver.step(task);
  t.strictSame(task.told, ['drained', 'released', 'left'], 'once');
  t.ok(handOver.done);
  task.clock.step(2000);
  t.notOk(task.told.includes('expired'), 'nothing is waited for any more');
});

t.test('a mark that is missing holds it back; the end of a source that is gone stands for one', async (t) => {
  const task = new Handing();
  const handOver = handOverOf({ sources: [1, 2], parting: new Set([2]) });
  handOver.begin();
  handOver.sourceEnded(1);
  handOver.sourceEnded(2);
  handOver.step(task);
  t.strictSame(task.told, [], 'a source that stays marks, whether it has ended or not');
  handOver.mark(1);
  handOver.step(task);
  t.strictSame(task.told, ['drained', 'released', 'let go']);
});

t.test('what is under way for too long is given up', async (t) => {
  const task = new Handing();
  const handOver = handOverOf({ sources: [] });
  handOver.begin();
  task.clear = false;
  handOver.step(task);
  t.notOk(handOver.done);
  handOver.expired = true;
  handOver.step(task);
  t.strictSame(task.told, ['drained', 'released', 'let go']);
});

t.test('a new owner holds what comes until all old ones have let go', async (t) => {
  const task = new Handing();
  const handOver = handOverOf({ waits: [7, 8], predecessor: 8 });
  t.ok(handOver.holds(1), 'from whomever it comes');
  handOver.step(task);
  t.ok(handOver.ownerLetGo(7, true));
  t.notOk(handOver.ownerLetGo(7, true), 'nobody waits for it any more');
  t.notOk(handOver.ownerLetGo(9, true), 'nor did for that one');
  t.notOk(handOver.endsAtOnce, 'it takes the place of another one');
  handOver.step(task);
  t.strictSame(task.told, []);
  handOver.ownerLetGo(8, true);
  handOver.step(task);
  t.strictSame(task.told, ['released']);
  t.ok(handOver.endsAtOnce);
  t.notOk(handOver.holds(1));
  t.ok(handOver.done);
});

t.test('one that stays holds what comes behind marks, and takes what comes before them', async (t) => {
  const task = new Handing();
  const handOver = handOverOf({ sources: [1, 2], waits: [7] });
  handOver.begin();
  t.notOk(handOver.holds(1));
  handOver.mark(1);
  t.ok(handOver.holds(1));
  t.notOk(handOver.holds(2));
  handOver.mark(2);
  handOver.step(task);
  t.strictSame(task.told, ['drained', 'let go'], 'it lets go of what it owned, and waits for what it gets');
  handOver.ownerLetGo(7, false);
  handOver.step(task);
  t.strictSame(task.told, ['drained', 'let go', 'released']);
  t.notOk(handOverOf({ sources: [1], leaves: true }).holds(1), 'who leaves holds nothing');
});

t.test('one that is called off waits for nothing', async (t) => {
  const task = new Handing();
  const handOver = handOverOf({ sources: [] });
  handOver.begin();
  task.clear = false;
  handOver.step(task);
  handOver.cancel();
  handOver.cancel();
  task.clock.step(2000);
  t.notOk(task.told.includes('expired'));
});
