// What commands that do one thing and end have in common: the two streams, signals, and how an error becomes an exit
// code. Invariant: with `--json`, standard output holds JSON lines only, also when it fails. Main thread.

import type { Clock } from '../../engine/clock.js';
import { toWire } from '../../engine/errors.js';
import { errorLine, formatError } from './error-text.js';
import { EXIT_FAILED, EXIT_OK, exitCodeOf, SIGNAL_EXITS, type EndSignal } from './exit.js';
import { Output, type OutputStream } from './output.js';

/** Everything outside, replaced in tests. */
export interface PlainEnvironment {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  onSignal(listener: (signal: EndSignal) => void): void;
}

/** What such a command works with. */
export interface Plain {
  readonly output: Output;
  readonly clock: Clock;
  readonly json: boolean;
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
}

/** Runs a command to its end and gives its exit code. */
export async function runPlain(
  json: boolean,
  environment: PlainEnvironment,
  command: (plain: Plain) => Promise<number>,
): Promise<number> {
  const { stdout, stderr, clock } = environment;
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
    const exitCode = await command({ output, clock, json, signal: ending.signal });
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

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}
