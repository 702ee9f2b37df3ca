// Runs one case of the suite on every transport: all tasks in one thread, two workers on real links within one thread,
// over ports and over TCP on loopback, and two real threads. Time is virtual on each, and the engine is the one of
// production. Tasks are spread, so that what crosses from worker to worker is as much as can be.

import t from 'tap';
import { TestRun, type TestOptions } from 'millrace/testing';

export type Test = typeof t;

export interface Transport {
  readonly name: string;
  readonly workers: number;
  readonly threads: boolean;
  readonly links: 'ports' | 'tcp';
}

export const oneThread: Transport = { name: 'one thread', workers: 1, threads: false, links: 'ports' };
export const twoWorkers: Transport = { name: 'two workers', workers: 2, threads: false, links: 'ports' };
export const overTcp: Transport = { name: 'two workers over TCP', workers: 2, threads: false, links: 'tcp' };
export const twoThreads: Transport = { name: 'two threads', workers: 2, threads: true, links: 'ports' };

export const transports: readonly Transport[] = [oneThread, twoWorkers, overTcp, twoThreads];

/** Those on which a worker can die while another one lives. */
export const linked: readonly Transport[] = [twoWorkers, overTcp, twoThreads];

/** How tasks are placed on each transport. */
export const spread = { placement: 'spread' } as const;

/** What a test does with the topology that runs. */
export type Body = (t: Test, run: TestRun, transport: Transport) => Promise<void>;

/** One test a transport; the topology is started before and ended after it. */
export function onEachTransport(
  title: string,
  url: URL,
  options: TestOptions,
  body: Body,
  on: readonly Transport[] = transports,
): void {
  for (const transport of on) {
    void t.test(`${title} (${transport.name})`, async (t) => {
      const { workers, threads, links } = transport;
      const run = await TestRun.start(url, {
        ...options,
        workers,
        threads,
        links,
        settings: { ...spread, ...options.settings },
      });
      t.teardown(() => run.close());
      await body(t as Test, run, transport);
    });
  }
}

/** Settles until that holds: components under test may take turns of their own. Gives up after a thousand looks. */
export async function settleUntil(run: TestRun, holds: () => boolean): Promise<void> {
  await run.settle();
  for (let looks = 0; looks < 1000 && !holds(); looks++) await run.settle();
}

/** The topology of that name beside this file. */
export function topologyUrl(name: string): URL {
  return new URL(`./topologies/${name}.js`, import.meta.url);
}

/** Numbers from `first` up, as ids and values of tuples that are fed. */
export function range(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
