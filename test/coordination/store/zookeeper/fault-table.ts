// npm run faults -- zookeeper [--rounds n] [--away seconds]
//
// Brings faults upon a real ensemble and its clients, and prints how long each was felt, beside the figures of a
// prototype on another machine with two cores and ticks of 200 ms. Each fault also has to come out right: what was
// accepted is there, was written once, and no session was lost.

import { parseArgs } from 'node:util';
import type { Ensemble } from '../../../../coordination/ensemble/ensemble.js';
import { startEnsemble } from '../../../../coordination/ensemble/start.js';
import { guarded, testTimes } from '../../ensemble/running.js';
import { allAway, bringBack, ClientProcess, nowMs, rollingRestart, untilKnown, whileWriting } from './faults.js';

let rounds = 0;
let awayMs = 0;
let wrong = 0;

/** Prints the table; gives whether all came out right. */
export async function zookeeperFaults(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: { rounds: { type: 'string', default: '5' }, away: { type: 'string', default: '60' } },
  });
  rounds = Number(values.rounds);
  awayMs = Number(values.away) * 1000;
  const place = guarded();
  try {
    const { ensemble } = await startEnsemble({ ...testTimes, directory: place.directory });
    console.log(`three servers, ticks of ${testTimes.tickMs} ms; ${rounds} rounds; milliseconds: min, median, max\n`);
    row('fault', 'felt as', 'here', 'prototype');
    await servers(ensemble);
    await clients(ensemble);
    await outage(ensemble);
  } finally {
    await place.release();
  }
  console.log(wrong === 0 ? '\nall came out right' : `\n${wrong} did not come out right`);
  return wrong === 0;
}

async function servers(ensemble: Ensemble): Promise<void> {
  const felt = 'no write accepted';
  const repeat = async (name: string, before: string, fault: () => Promise<unknown>): Promise<void> => {
    const gapsMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      gapsMs.push(...(await stalled(ensemble, 6_000, fault)));
      await resumeAll(ensemble);
      await bringBack(ensemble);
    }
    row(name, felt, figures(gapsMs), before);
  };
  await repeat('kill -9 the leader', '363 to 612', () => ensemble.kill('leader'));
  await repeat('kill -9 a follower', '21 to 36', () => ensemble.kill('follower'));
  await repeat('SIGTERM the leader', '691 to 894', () => ensemble.kill('leader', 'SIGTERM'));
  await repeat('SIGSTOP the leader (sync limit 1 s, sessions of 6 s)', '2513 to 4502', () => ensemble.pause('leader'));
  await repeat('rolling restart', '-', () => rollingRestart(ensemble));
}

async function clients(ensemble: Ensemble): Promise<void> {
  const felt = 'another client knows';
  const repeat = async (name: string, timeoutMs: number, before: string, end: boolean): Promise<void> => {
    const tookMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const client = await ClientProcess.start(ensemble, timeoutMs);
      const { id, password } = client;
      // It dies somewhere between two of its pings.
      await new Promise((resolve) => setTimeout(resolve, (Math.random() * timeoutMs) / 4));
      tookMs.push(
        await untilKnown(ensemble, client, async (store) => {
          if (end && (await store.endSession(id, password)) !== 'closed') wrong++;
        }),
      );
    }
    row(name, felt, figures(tookMs), before);
  };
  await repeat('kill -9 a client, a supervisor ends its session of 8 s', 8_000, '11, 11, 17', true);
  const expired: readonly (readonly [number, string])[] = [
    [400, '333, 436, 547'],
    [1_000, '843, 976, 1143'],
    [2_000, '1425, 1553, 1984'],
    [4_000, '3442, 3674, 3799'],
  ];
  for (const [timeoutMs, before] of expired) {
    await repeat(`kill -9 a client, its session of ${timeoutMs} ms expires`, timeoutMs, before, false);
  }
}

/** Longer than any session: all of them live on. */
async function outage(ensemble: Ensemble): Promise<void> {
  let backAtMs = 0;
  const sinceMs = nowMs();
  const gapsMs = await stalled(ensemble, 2_000, async () => {
    await allAway(ensemble, awayMs);
    backAtMs = nowMs();
  });
  const beyond = Math.max(...gapsMs) - (backAtMs - sinceMs);
  const name = `all servers away for ${awayMs / 1000} s, sessions of 2 s`;
  row(name, 'no write accepted', figures(gapsMs), '-');
  row('', 'at most later than all served', String(Math.max(0, Math.round(beyond))), '37 (same sessions)');
}

async function stalled(
  ensemble: Ensemble,
  timeoutMs: number,
  fault: () => Promise<unknown>,
): Promise<readonly number[]> {
  const stall = await whileWriting(ensemble, timeoutMs, fault);
  for (const what of stall.wrong) console.log(`WRONG: ${what}`);
  wrong += stall.wrong.length;
  return stall.gapsMs;
}

async function resumeAll(ensemble: Ensemble): Promise<void> {
  for (const { id, state } of await ensemble.status()) if (state === 'paused') await ensemble.resume(id);
}

function figures(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b).map((value) => Math.round(value));
  return [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].join(', ');
}

function row(fault: string, felt: string, here: string, prototype: string): void {
  console.log(`${fault.padEnd(56)}  ${felt.padEnd(30)}  ${here.padEnd(20)}  ${prototype}`);
}
