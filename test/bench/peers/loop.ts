// The peer `loop`: plain JavaScript that does the same work in one thread without a queue, a task or an ack. What it
// does less than Millrace is what an engine costs.

import { coresSince, type Counts, type Measured, type Side, type Timing } from '../measured.js';
import { flights, type Flight } from '../data/flights.js';
import { mobyDickLines } from '../data/moby-dick.js';
import { SENTENCES } from '../data/sentences.js';

/** The work of a topology: does so many units from where it stopped, and says how much has arrived in all. */
type Work = (units: number) => number;

/** Units between two looks at the clock. */
const STRIDE = 1000;

const WORKS: Readonly<Record<string, () => Work>> = {
  null: () => {
    const sink = sinkOf();
    return (units) => {
      for (let i = 0; i < units; i++) sink.take(['some data']);
      return sink.taken;
    };
  },
  id: () => {
    const sink = sinkOf();
    const id = (values: readonly [string]): void => sink.take([values[0]]);
    return (units) => {
      for (let i = 0; i < units; i++) id(['some data']);
      return sink.taken;
    };
  },
  words: () => wordCount(SENTENCES),
  'moby-dick': () => wordCount(mobyDickLines()),
  flights: () => meanDelay(flights()),
};

/** Keeps what it is given, so that nothing is optimised away. */
function sinkOf(): { taken: number; last: readonly unknown[] | null; take(values: readonly unknown[]): void } {
  return {
    taken: 0,
    last: null,
    take(values) {
      this.taken++;
      this.last = values;
    },
  };
}

function wordCount(texts: readonly string[]): Work {
  const counts = new Map<string, number>();
  let next = 0;
  let arrived = 0;
  return (units) => {
    for (let i = 0; i < units; i++) {
      const words = texts[next]!.split(' ');
      next = next + 1 === texts.length ? 0 : next + 1;
      for (let w = 0; w < words.length; w++) counts.set(words[w]!, (counts.get(words[w]!) ?? 0) + 1);
      arrived += words.length;
    }
    return arrived;
  };
}

function meanDelay(rows: readonly Flight[]): Work {
  const sums = new Map<number, { flights: number; delay: number }>();
  const sink = sinkOf();
  let next = 0;
  return (units) => {
    for (let i = 0; i < units; i++) {
      const [distance, delay] = rows[next]!;
      next = next + 1 === rows.length ? 0 : next + 1;
      let sum = sums.get(distance);
      if (sum === undefined) sums.set(distance, (sum = { flights: 0, delay: 0 }));
      sum.flights++;
      sum.delay += delay;
      sink.take([distance, sum.delay / sum.flights]);
    }
    return sink.taken;
  };
}

/** The loop that does the work of this topology; null when there is none. */
export function loopSide(topology: string): Side | null {
  const work = WORKS[topology];
  if (work === undefined) return null;
  return {
    name: 'plain loop',
    labels: ['loop'],
    measure: (timing) => Promise.resolve(measure(work(), timing)),
  };
}

function measure(work: Work, { warmUpMs, measureMs }: Timing): Measured {
  let emitted = workFor(work, warmUpMs).units;
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const { units, arrived } = workFor(work, measureMs);
  const elapsedMs = performance.now() - startMs;
  emitted += units;
  const counts: Counts = { emitted, acked: 0, failed: 0, arrived };
  return { perSecond: (units / elapsedMs) * 1000, cores: coresSince(cpu, elapsedMs), latency: null, counts };
}

function workFor(work: Work, forMs: number): { readonly units: number; readonly arrived: number } {
  const endMs = performance.now() + forMs;
  for (let units = STRIDE; ; units += STRIDE) {
    const arrived = work(STRIDE);
    if (performance.now() >= endMs) return { units, arrived };
  }
}
