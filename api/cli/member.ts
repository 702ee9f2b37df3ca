// `millrace member FILE`: runs workers for a lead that was started with `millrace run FILE --processes`, until the
// topology is over there.
//
//   opening ─► looking for the lead ─► serving ─► over: exit 0
//      └──────────────┴────────────────────┴── signal: workers end, exit 128 + its number
//
// Main thread; everything from outside comes in by `MemberEnvironment`.

import type { Clock } from '../../engine/clock.js';
import { failure, toWire } from '../../engine/errors.js';
import { ONLY_RUN } from '../../engine/worker/remote/known-processes.js';
import type { MemberOptions } from '../../engine/worker/remote/member.js';
import { readProcesses } from '../processes.js';
import type { TopologyFile } from '../topology-file.js';
import { formatError } from './error-text.js';
import { EXIT_OK, exitCodeOf, SIGNAL_EXITS, type EndSignal } from './exit.js';

/** What the user asked for. */
export interface MemberRequest {
  readonly file: string;
  readonly processes: string;
  readonly name: string;
}

/** Everything outside, replaced in tests. */
export interface MemberEnvironment {
  readonly clock: Clock;
  say(line: string): void;
  onSignal(listener: (signal: EndSignal) => void): void;
  open(file: string): Promise<TopologyFile>;
  serve(options: MemberOptions): Promise<void>;
  exitNow(exitCode: number): void;
}

/** Runs the command to its end and gives its exit code. */
export async function memberCommand(request: MemberRequest, environment: MemberEnvironment): Promise<number> {
  const ending = new AbortController();
  let signalled: EndSignal | null = null;
  environment.onSignal((signal) => {
    if (signalled !== null) environment.exitNow(SIGNAL_EXITS[signal]);
    signalled = signal;
    ending.abort();
  });
  try {
    await serve(request, environment, ending.signal);
    return EXIT_OK;
  } catch (error) {
    if (signalled !== null) return SIGNAL_EXITS[signalled as EndSignal];
    const wire = toWire(error);
    environment.say(formatError(wire));
    return exitCodeOf(wire);
  }
}

async function serve(request: MemberRequest, environment: MemberEnvironment, signal: AbortSignal): Promise<void> {
  const { lead, members, secret } = await readProcesses(request.processes);
  const member = members.find(({ name }) => name === request.name);
  if (member === undefined) {
    const known = members.map(({ name }) => name).join(', ');
    throw failure('MILLRACE_PROCESSES_NAME', { member: request.name, file: request.processes, known });
  }
  const file = await environment.open(request.file);
  try {
    const { clock } = environment;
    const { source, hash } = file;
    const say = (line: string): void => environment.say(line);
    const { name, host, workers: slots } = member;
    const reach = { host, ports: null, secret, tls: null };
    await environment.serve({ name, slots, lead, run: ONLY_RUN, reach, source, hash, clock, say, signal });
    say('the topology is over');
  } finally {
    await file.dispose();
  }
}
