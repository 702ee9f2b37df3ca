// A copy of the built engine out of which everything is taken that counts, measures and samples, so that the cost of
// metrics is the difference to the engine as it is. What is left is what a benchmark needs to see progress: the count
// of acked trees. Each place that is taken out is named here with how often it stands there: when the engine changes,
// this says so instead of comparing something else.

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Cut {
  readonly file: string;
  readonly what: string | RegExp;
  readonly instead: string;
  readonly times: number;
}

const cut = (file: string, what: string | RegExp, times = 1, instead = ''): Cut => ({ file, what, instead, times });

const CUTS: readonly Cut[] = [
  cut('task/dealer.js', 'output.emitted++;', 3),
  cut('task/dealer.js', 'output.transferred++;', 2),
  cut('task/dealer.js', /of\.transferred \+= .*;/g, 2),
  cut('task/dealer.js', 'this.callStack[0] >= TIMED_DEPTH && this.deliverTimed(', 1, 'false && this.deliverTimed('),
  cut('task/bolt-task.js', 'this.done++;'),
  cut('task/bolt-task.js', 'this.count(EXECUTED);', 2),
  cut('task/bolt-task.js', '--this.untilTimed === 0', 1, 'false'),
  cut('task/bolt-task.js', 'inbox.publish(this.counters, this.row);'),
  cut('task/bolt-task.js', 'this.times.isDue(nowMs)', 1, 'false'),
  cut('task/settling-task.js', 'this.count(state === ACKED ? ACKED_COUNT : FAILED_COUNT);'),
  cut('task/settling-task.js', 'held.timed', 2, 'false'),
  cut('task/spout-task.js', '--this.untilTimed === 0', 1, 'false'),
  cut('task/spout-task.js', 'this.untilTimed > 1 && this.times.isDue(startMs)', 1, 'false'),
  cut('task/spout-task.js', /this\.ackWaits\.note\(.*\);/g, 2, ';'),
  cut('task/spout-task.js', 'this.publish();'),
  cut('task/stalls.js', /words\[row \+ STALL\w*\].*;/g, 3),
  cut('task/stalls.js', 'this.tell();', 2, ';'),
  cut('ack/ledger.js', 'sequence < SAMPLED_FIRST || (lo & SAMPLE_MASK) === 0', 1, 'false'),
  cut('ack/ledger.js', '(sequence < SAMPLED_FIRST || (sequence & SAMPLE_MASK) === 0)', 1, 'false'),
  cut('worker/worker-links.js', 'this.countFor(sourceTask, OUTBOX, by);'),
  cut('worker/runtime.js', 'this.counters.addBusy(this.init.worker, tookMs);'),
  cut('worker/run-report.js', 'this.metrics.sample(this.clock.now());'),
];

/**
 * Makes the copy and gives the URL of its folder.
 *
 * @throws when what is to be taken out does not stand there as often as it says
 */
export function engineWithoutMetrics(): URL {
  const built = new URL('../../../engine/', import.meta.url);
  const copy = new URL('./.without-metrics/engine/', import.meta.url);
  rmSync(copy, { recursive: true, force: true });
  cpSync(fileURLToPath(built), fileURLToPath(copy), { recursive: true });
  for (const { file, what, instead, times } of CUTS) {
    const path = new URL(file, copy);
    const text = readFileSync(path, 'utf8');
    const found = typeof what === 'string' ? text.split(what).length - 1 : [...text.matchAll(what)].length;
    if (found !== times) throw new Error(`${file} has ${String(what)} ${found} times, not ${times}: mend CUTS`);
    writeFileSync(path, typeof what === 'string' ? text.replaceAll(what, instead) : text.replace(what, instead));
  }
  return copy;
}
