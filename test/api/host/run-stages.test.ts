// The stages of a run: what is asked for before it can be is reached later and in its order, and what keeps spouts from
// standing aside is waited for.

import t from 'tap';
import { RunStages, type StagedRun } from '../../../api/host/run-stages.js';
import type { RunStage } from '../../../coordination/topology-records.js';
import { VirtualClock } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import { STAND_ASIDE_RETRY_MAX_MS, STAND_ASIDE_RETRY_MIN_MS } from '../../../engine/limits.js';
import { silentLogger } from '../../../engine/log.js';
import type { Checkpoint } from '../../../engine/worker/messages.js';

const PROGRESS: readonly Checkpoint[] = [{ component: 'lines', partition: 'all', progress: 7 }];
const busy = () => failure('MILLRACE_REBALANCE_BUSY', { topology: 'words' });
const calledOff = () => failure('MILLRACE_SPOUTS_CALLED_OFF', { topology: 'words' });

interface Call {
  readonly what: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A run whose calls end when the test says so. */
class FakeRun implements StagedRun {
  readonly calls: Call[] = [];

  async openSpouts(checkpoints: readonly Checkpoint[]): Promise<void> {
    await this.call(`open ${checkpoints.length}`);
  }

  async standAside(): Promise<void> {
    await this.call('aside');
  }

  async comeBack(): Promise<void> {
    await this.call('back');
  }

  get asked(): string[] {
    return this.calls.map(({ what }) => what);
  }

  last(): Call {
    return this.calls.at(-1)!;
  }

  private call(what: string): Promise<void> {
    return new Promise((resolve, reject) => this.calls.push({ what, resolve, reject }));
  }
}

function stagesOf(standby: boolean) {
  const clock = new VirtualClock();
  const told: (RunStage | null)[] = [];
  const stages = new RunStages(
    { name: 'words', standby },
    { clock, logger: silentLogger, told: (stage) => void told.push(stage) },
  );
  const run = new FakeRun();
  let opened = 0;
  const started = (): void => stages.started(run, () => opened++);
  return { stages, run, clock, told, started, opened: () => opened };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

t.test('one that stands by is opened once, when it has started and is asked to', async (t) => {
  const { stages, run, told, started, opened } = stagesOf(true);
  stages.open(PROGRESS);
  t.equal(stages.takesRecords, false);
  started();
  t.strictSame(told, ['standby']);
  t.strictSame(run.asked, ['open 1']);
  t.equal(opened(), 0);
  run.last().resolve();
  await turn();
  t.strictSame(told, ['standby', 'open']);
  t.equal(opened(), 1);
  t.equal(stages.takesRecords, true);
  stages.open([]);
  stages.comeBack();
  await turn();
  t.strictSame(run.asked, ['open 1'], 'both are nothing then');
});

t.test('one that cannot be opened has no further stages', async (t) => {
  const { stages, run, told, started, opened } = stagesOf(true);
  started();
  stages.open(PROGRESS);
  stages.standAside();
  run.last().reject(new Error('no'));
  await turn();
  stages.end();
  t.strictSame(told, ['standby']);
  t.strictSame(run.asked, ['open 1']);
  t.equal(opened(), 0);
});

t.test('stages that were asked for before it started are reached in their order', async (t) => {
  const { stages, run, told, started } = stagesOf(true);
  stages.standAside();
  stages.open(PROGRESS);
  started();
  run.last().resolve();
  await turn();
  t.strictSame(run.asked, ['open 1', 'aside']);
  run.last().resolve();
  await turn();
  t.strictSame(told, ['standby', 'open', 'aside']);
  t.equal(stages.takesRecords, false);
  stages.comeBack();
  stages.standAside();
  stages.comeBack();
  await turn();
  run.last().resolve();
  await turn();
  t.strictSame(told, ['standby', 'open', 'aside', null]);
  t.equal(stages.takesRecords, true);
});

t.test('what keeps spouts from standing aside is waited for, longer each time', async (t) => {
  const { stages, run, told, clock, started, opened } = stagesOf(false);
  started();
  t.equal(opened(), 1);
  t.strictSame(told, [], 'it has no stage of its own');
  stages.standAside();
  const waits: number[] = [];
  for (let tries = 0; tries < 8; tries++) {
    run.last().reject(busy());
    await turn();
    const dueMs = clock.nextDueMs()!;
    waits.push(dueMs - clock.now());
    clock.step(dueMs);
    await turn();
  }
  t.equal(waits[0], STAND_ASIDE_RETRY_MIN_MS);
  t.equal(waits[1], 2 * STAND_ASIDE_RETRY_MIN_MS);
  t.equal(waits.at(-1), STAND_ASIDE_RETRY_MAX_MS);
  run.last().resolve();
  await turn();
  t.strictSame(told, ['aside']);
  t.equal(run.calls.length, 9);
});

t.test('asked back while it waits, it does not stand aside any more', async (t) => {
  const { stages, run, told, clock, started } = stagesOf(false);
  started();
  stages.standAside();
  run.last().reject(busy());
  await turn();
  stages.comeBack();
  await turn();
  t.equal(clock.nextDueMs(), undefined, 'no timer is left');
  t.equal(stages.takesRecords, true);
  t.strictSame(told, []);
});

t.test('asked back on their way, spouts turn back at once', async (t) => {
  const { stages, run, told, started } = stagesOf(false);
  started();
  stages.standAside();
  const [aside] = run.calls;
  stages.comeBack();
  t.strictSame(run.asked, ['aside', 'back']);
  aside!.reject(calledOff());
  run.last().resolve();
  await turn();
  t.strictSame(told, []);
  t.strictSame(run.asked, ['aside', 'back']);
  stages.standAside();
  await turn();
  t.strictSame(run.asked, ['aside', 'back', 'aside'], 'and may be asked again');
});

t.test('when it ends, nothing is waited for or told', async (t) => {
  const { stages, run, told, clock, started } = stagesOf(false);
  started();
  stages.standAside();
  run.last().reject(busy());
  await turn();
  stages.end();
  await turn();
  t.equal(clock.nextDueMs(), undefined, 'no timer is left');
  stages.comeBack();
  stages.standAside();
  await turn();
  t.equal(run.calls.length, 1);
  t.strictSame(told, []);
});
