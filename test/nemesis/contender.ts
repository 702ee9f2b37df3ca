// A contender of a nemesis run, a process of its own: wants to lead and to hold a lock, over and over, in one session
// after the other, and writes down what it believes, writes, asks and sees.
//   node contender.js NAME SERVERS SESSION_TIMEOUT_MS LOG_FILE
//
// It is told by lines on its standard input: `rest` ends all contending and goes on watching, `stop` ends the process,
// and so does the end of the input, when the runner is gone.

import { openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Election, type Term } from '../../coordination/recipes/election.js';
import { Lock } from '../../coordination/recipes/lock.js';
import type { Operation, OperationResult, Session } from '../../coordination/store/contract.js';
import { toData } from '../../coordination/store/json-node.js';
import { SessionKeeper } from '../../coordination/store/session-keeper.js';
import { aborted, pause } from '../../coordination/store/signals.js';
import { ZookeeperStore } from '../../coordination/store/zookeeper/zookeeper-store.js';
import { RealClock } from '../../engine/clock.js';
import { isMillraceError } from '../../engine/errors.js';
import { STORE_CALL_TIMEOUT_MS } from '../../engine/limits.js';
import { silentLogger } from '../../engine/log.js';
import { monotonicMs, type NemesisFact, type Prize } from './events.js';
import { GUARDED, STATE } from './paths.js';

const [name = '', servers = '', timeout = '', logFile = ''] = process.argv.slice(2);
const sessionTimeoutMs = Number(timeout);
const clock = new RealClock();
const file = openSync(logFile, 'a');
const resting = new AbortController();
const READ_TIMEOUT_MS = sessionTimeoutMs;
/** Fenced writes of a holder, and reads of everybody, come in this distance. */
const WRITE_EVERY_MS = 20;
const READ_EVERY_MS = 50;
const BELIEF_EVERY_MS = 5;

function note(fact: NemesisFact): void {
  // At once, because the process may be killed at any time.
  writeSync(file, `${JSON.stringify({ ...fact, atMs: monotonicMs(), who: name })}\n`);
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    note({ type: 'uncaught', message: error instanceof Error ? String(error.stack) : String(error) });
  });
}

let calls = 0;

async function asking<T>(what: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const call = ++calls;
  note({ type: 'asked', call, what, timeoutMs });
  try {
    const result = await work();
    note({ type: 'answered', call, outcome: 'ok' });
    return result;
  } catch (error) {
    note({ type: 'answered', call, outcome: codeOf(error) });
    throw error;
  }
}

function codeOf(error: unknown): string {
  return isMillraceError(error) ? error.code : error instanceof Error ? error.name : String(error);
}

/**
 * Writes down that it holds the prize, as long as it believes so. Who finds that it was stopped for long lets its own
 * timers go first: they tell it what the time it missed means.
 */
async function believe(prize: Prize, token: string, over: AbortSignal): Promise<void> {
  let lastMs = monotonicMs();
  for (;;) {
    await pause(clock, BELIEF_EVERY_MS, over);
    const lateMs = monotonicMs() - lastMs;
    for (let turn = 0; lateMs > sessionTimeoutMs / 8 && turn < 3; turn++) await pause(clock, BELIEF_EVERY_MS, over);
    if (over.aborted) return;
    note({ type: 'holds', prize, token });
    lastMs = monotonicMs();
  }
}

type Act = (operations: readonly Operation[]) => Promise<readonly OperationResult[]>;

/** Writes again and again, fenced; what is refused or unsure is written down, and the prize decides what follows. */
async function write(prize: Prize, token: string, act: Act, path: string): Promise<void> {
  try {
    const data = toData({ token, by: name });
    const [result] = await asking(`write of ${prize}`, STORE_CALL_TIMEOUT_MS, () =>
      act([{ type: 'set', path, data, version: null }]),
    );
    if (result?.type === 'set') {
      note({ type: 'wrote', prize, token, revision: String(result.stat.modifyRevision) });
    }
  } catch (error) {
    note({ type: 'refused', prize, token, code: codeOf(error) });
  }
}

async function lead(term: Term): Promise<void> {
  const token = String(term.epoch);
  process.stdout.write('leads\n');
  const believing = believe('leader', token, term.over);
  while (!term.over.aborted) {
    await write('leader', token, async (operations) => await term.act(operations), STATE);
    await pause(clock, WRITE_EVERY_MS, term.over);
  }
  // One more, though it knows: it has to be refused.
  await write('leader', token, async (operations) => await term.act(operations), STATE);
  await believing;
}

async function contendForLock(session: Session, over: AbortSignal): Promise<void> {
  const lock = new Lock({ session, path: '/nemesis/lock' });
  while (!over.aborted) {
    try {
      const timeoutMs = 4 * sessionTimeoutMs;
      const held = await asking('lock', timeoutMs, () => lock.acquire({ timeoutMs, signal: over }));
      const token = String(held.token);
      const until = new AbortController();
      const timer = clock.after(5 + Math.random() * 100, () => until.abort());
      const given = AbortSignal.any([until.signal, held.lost]);
      const believing = believe('lock', token, given);
      while (!given.aborted) {
        await write('lock', token, async (ops) => await held.act(ops), GUARDED);
        await pause(clock, WRITE_EVERY_MS, given);
      }
      timer.cancel();
      await believing;
      await held.release();
    } catch (error) {
      if (!isMillraceError(error) && !over.aborted) throw error;
      await pause(clock, READ_EVERY_MS, over);
    }
  }
}

async function read(session: Session, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const timeoutMs = READ_TIMEOUT_MS;
    await asking('get', timeoutMs, () => session.get(STATE, { timeoutMs })).catch((error: unknown) => {
      if (!isMillraceError(error)) throw error;
    });
    await pause(clock, READ_EVERY_MS, over);
  }
}

/** Ends when nothing is contended for any more in the present session. */
let contending: Promise<unknown> = Promise.resolve();

const keeper = new SessionKeeper({
  store: new ZookeeperStore({ servers, sessionTimeoutMs }),
  clock,
  logger: silentLogger,
  each: async (session) => {
    const watch = session.watchNode(STATE, (node) => {
      if (node === null) return;
      const revision = String(node.stat.modifyRevision);
      note({ type: 'saw', session: session.id, revision });
      if (resting.signal.aborted) process.stdout.write(`saw ${revision}\n`);
    });
    const over = AbortSignal.any([resting.signal, session.ended]);
    const election = new Election({ session, at: '/nemesis/leader', member: name, lead });
    if (!resting.signal.aborted) election.start();
    const closed = aborted(over).then(async () => await election.close());
    contending = Promise.all([contendForLock(session, over), read(session, over), closed]);
    return async () => {
      watch.close();
      await contending;
    };
  },
});
keeper.start();

const input = createInterface({ input: process.stdin });
for await (const line of input) {
  if (line === 'rest') {
    resting.abort();
    await contending;
    process.stdout.write('resting\n');
  }
  if (line === 'stop') break;
}
input.close();
resting.abort();
await keeper.close();
process.stdin.destroy();
