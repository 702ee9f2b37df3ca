// When a cycle has ended: what is under way anywhere keeps it open, whatever order reports come in.

import fc from 'fast-check';
import t from 'tap';
import type { TopologyDescription } from '../../../engine/model/describe.js';
import { CYCLE_OPEN, CycleEnds } from '../../../engine/worker/cycle-ends.js';
import type { CycleReport, CycleTold } from '../../../engine/worker/messages.js';

const common = { parallelism: 1, outputs: { default: ['n'] }, config: {} };
const behavior = { manualAck: false, concurrency: 1, ordered: false, tickMs: null, callTimeoutMs: null };
const input = (from: string, feedback = false) =>
  ({ from, stream: 'default', grouping: 'shuffle', fields: [], feedback }) as const;

/** source ─► a ⇄ b, each on a worker of its own. */
const description: TopologyDescription = {
  name: 'round',
  version: null,
  config: {
    workers: 3,
    messageTimeoutMs: null,
    maxSpoutPending: null,
    tracking: true,
    keyGroups: 1,
    stallTimeoutMs: null,
    workerHeapMb: null,
    workerBuffersMb: null,
    placement: 'together',
    hostLabels: [],
    priority: 0,
    autoRebalance: false,
  },
  components: [
    { kind: 'spout', id: 'source', ...common },
    { kind: 'bolt', id: 'a', ...common, behavior, inputs: [input('source'), input('b', true)] },
    { kind: 'bolt', id: 'b', ...common, behavior, inputs: [input('a')] },
  ],
};
const task = (number: number, component: string, worker: number) => ({ task: number, component, index: 0, worker });
const plan = { workers: 3, nextTask: 3, tasks: [task(0, 'source', 0), task(1, 'a', 1), task(2, 'b', 2)] };

/** Steps of one cycle: 0 goes round, 1 and 2 finish, 3 ends. */
const LAST = 3;

function said(changes: Partial<CycleReport>): CycleReport {
  const nothing = { cycle: 0, generation: 0, step: 0, round: null, idle: true, sent: 0, received: 0 };
  return { type: 'cycleReport', ...nothing, ...changes };
}

function watched(): { readonly ends: CycleEnds; readonly told: (CycleTold & { readonly worker: number })[] } {
  const told: (CycleTold & { readonly worker: number })[] = [];
  return { ends: new CycleEnds(description, plan, (worker, each) => told.push({ ...each, worker })), told };
}

t.test('a cycle goes from step to step when all of it is idle twice, with the same counts', async (t) => {
  const { ends, told } = watched();
  ends.heard(1, said({ step: CYCLE_OPEN }));
  t.equal(told.length, 0, 'the other worker may still get tuples');
  ends.heard(2, said({ step: CYCLE_OPEN }));
  t.match(told.splice(0), [
    { worker: 1, step: 0, round: null },
    { worker: 2, step: 0, round: null },
  ]);
  ends.heard(1, said({ sent: 1 }));
  ends.heard(2, said({}));
  t.equal(told.length, 0, 'one tuple is under way');
  ends.heard(2, said({ received: 1 }));
  t.match(told.splice(0), [
    { worker: 1, round: 1 },
    { worker: 2, round: 1 },
  ]);
  ends.heard(1, said({ round: 1, sent: 1 }));
  ends.heard(2, said({ round: 1, received: 1, idle: false }));
  t.equal(told.length, 0, 'it is at work again');
  ends.heard(2, said({ received: 1 }));
  t.match(told.splice(0), [
    { worker: 1, round: 2 },
    { worker: 2, round: 2 },
  ]);
  ends.heard(2, said({ round: 1, received: 1 }));
  ends.heard(1, said({ round: 2, sent: 1 }));
  t.equal(told.length, 0, 'an answer to an older question is none');
  ends.heard(2, said({ round: 2, received: 1 }));
  t.match(told.splice(0), [
    { worker: 1, step: 1, round: null },
    { worker: 2, step: 1, round: null },
  ]);
});

t.test('a worker dies: what was said before does not count', async (t) => {
  const { ends, told } = watched();
  for (const worker of [1, 2]) ends.heard(worker, said({ step: CYCLE_OPEN }));
  ends.reopen(1, 7);
  told.length = 0;
  for (const worker of [1, 2]) ends.heard(worker, said({}));
  for (const worker of [1, 2]) ends.heard(worker, said({ step: CYCLE_OPEN }));
  t.equal(told.length, 0);
  for (const worker of [1, 2]) ends.heard(worker, said({ step: CYCLE_OPEN, generation: 7 }));
  t.match(told, [{ generation: 7, step: 0 }, { generation: 7 }]);
});

/** Two workers that send each other tuples, over ports that keep order, told and heard at any time. */
class Model {
  readonly queues: { readonly at: number; deliver: () => void }[] = [];
  readonly sent = [0, 0];
  readonly received = [0, 0];
  /** Tuples in each mailbox, by how often each still goes round. */
  readonly mailboxes: number[][] = [[], []];
  step = [CYCLE_OPEN, CYCLE_OPEN];
  readonly said: (string | null)[] = [null, null];
  endedEarly = false;
  readonly ends = new CycleEnds(description, plan, (worker, told) => {
    if (told.round === null && told.step > 0 && this.busy > 0) this.endedEarly = true;
    this.queues.push({ at: worker - 1, deliver: () => this.told(worker - 1, told) });
  });

  get busy(): number {
    return this.mailboxes[0]!.length + this.mailboxes[1]!.length + this.queues.filter(({ at }) => at >= 4).length;
  }

  report(index: number, round: number | null): void {
    const idle = this.mailboxes[index]!.length === 0;
    const report = said({
      step: this.step[index]!,
      round,
      idle,
      sent: this.sent[index]!,
      received: this.received[index]!,
    });
    const counts = idle ? `${report.sent}/${report.received}` : null;
    const news = counts !== null && counts !== this.said[index];
    this.said[index] = counts;
    if (round !== null || news) this.queues.push({ at: 2 + index, deliver: () => this.ends.heard(index + 1, report) });
  }

  told(index: number, told: CycleTold): void {
    if (told.step !== this.step[index]) {
      this.step[index] = told.step;
      this.said[index] = null;
      // What `finish` emits goes round as well.
      if (told.step === index + 1) this.mailboxes[index]!.push(2);
    }
    if (told.round !== null) this.report(index, told.round);
    else if (told.step < LAST) this.report(index, null);
  }

  work(index: number): void {
    const left = this.mailboxes[index]!.shift();
    if (left !== undefined && left > 0) {
      this.sent[index]!++;
      const other = 1 - index;
      this.queues.push({
        at: 4 + other,
        deliver: () => {
          this.received[other]!++;
          this.mailboxes[other]!.push(left - 1);
        },
      });
    }
    if (this.step[index]! > CYCLE_OPEN && this.step[index]! < LAST) this.report(index, null);
  }

  deliver(at: number): void {
    const first = this.queues.findIndex((queue) => queue.at === at);
    if (first >= 0) this.queues.splice(first, 1)[0]!.deliver();
  }
}

t.test(
  'in whatever order things happen, no step comes while a tuple is under way, and the last one comes',
  async (t) => {
    fc.assert(
      fc.property(fc.array(fc.nat(7), { maxLength: 300 }), fc.array(fc.nat(6), { maxLength: 6 }), (order, tuples) => {
        const model = new Model();
        tuples.forEach((left, index) => model.mailboxes[index % 2]!.push(left));
        for (const worker of [1, 2]) model.ends.heard(worker, said({ step: CYCLE_OPEN }));
        const act = (what: number): void => (what < 2 ? model.work(what) : model.deliver(what - 2));
        for (const what of order) act(what);
        for (let rest = 0; rest < 2000 && model.step.some((step) => step < LAST); rest++) act(rest % 8);
        return !model.endedEarly && model.step.every((step) => step === LAST);
      }),
      { numRuns: 300 },
    );
    t.pass('300 runs');
  },
);
