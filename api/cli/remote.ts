// What the commands that talk to a host have in common: the address, the client, the two streams, signals, and how an
// error becomes an exit code. Invariant: with `--json`, standard output holds JSON lines only, also when it fails. Main
// thread; everything from outside comes in by `RemoteEnvironment`.

import type { Clock } from '../../engine/clock.js';
import { toWire } from '../../engine/errors.js';
import type { TopologyDetails } from '../host/service.js';
import type { MillraceClient } from '../client/client.js';
import { DEFAULT_HOST_URL } from './default-host.js';
import { errorLine, formatError } from './error-text.js';
import { EXIT_FAILED, EXIT_OK, exitCodeOf, SIGNAL_EXITS, type EndSignal } from './exit.js';
import { Output, type OutputStream } from './output.js';

/** The options of every such command. */
export interface RemoteOptions {
  /** `--host`; null where it is not given. */
  readonly host: string | null;
  readonly json: boolean;
}

/** Everything outside, replaced in tests. */
export interface RemoteEnvironment {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  onSignal(listener: (signal: EndSignal) => void): void;
  connect(url: string): MillraceClient;
}

/** What a command works with. */
export interface Remote {
  readonly client: MillraceClient;
  readonly output: Output;
  readonly clock: Clock;
  readonly json: boolean;
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
}

/** Runs a command to its end and gives its exit code. */
export async function runRemote(
  { host, json }: RemoteOptions,
  environment: RemoteEnvironment,
  command: (remote: Remote) => Promise<number>,
): Promise<number> {
  const { stdout, stderr, clock, env } = environment;
  const ending = new AbortController();
  let outputError: Error | null = null;
  let received: EndSignal | null = null;
  const output = new Output({
    stdout,
    stderr,
    json,
    onReaderGone: (error) => {
      outputError = error;
      ending.abort();
    },
  });
  environment.onSignal((signal) => {
    received ??= signal;
    ending.abort();
  });
  try {
    const client = environment.connect(addressOf(host ?? env['MILLRACE_HOST']));
    const exitCode = await command({ client, output, clock, json, signal: ending.signal });
    return received === null ? exitCode : SIGNAL_EXITS[received];
  } catch (thrown) {
    if (received !== null) return SIGNAL_EXITS[received];
    if (outputError !== null) return codeOf(outputError) === 'EPIPE' ? EXIT_OK : EXIT_FAILED;
    const error = toWire(thrown);
    output.say(formatError(error));
    await output.last(errorLine(error));
    return exitCodeOf(error);
  } finally {
    output.wipeProgress();
  }
}

/** Tells what became of a topology: its details as JSON, or a sentence. */
export async function tell({ output, json }: Remote, details: TopologyDetails, sentence: string): Promise<void> {
  if (json) await output.data(details);
  else output.say(sentence);
}

/** People leave out what is the same everywhere. */
function addressOf(text: string | undefined): string {
  if (text === undefined || text === '') return DEFAULT_HOST_URL;
  return text.includes('://') ? text : `http://${text}`;
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}
