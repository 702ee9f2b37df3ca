// A real ensemble for the tests of one file, which share it because starting it takes seconds. It ends with the test,
// and when the test process dies before, by its guard. Small ticks, so that sessions end quickly.

import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import type { EnsembleOptions } from '../../../coordination/ensemble/options.js';
import { startEnsemble } from '../../../coordination/ensemble/start.js';

/** The sizes of time of ensembles in tests. */
export const testTimes = { tickMs: 200, initMs: 10_000, syncMs: 1_000, sessionMinMs: 200 } as const;

/** A path for an ensemble's directory. */
export interface Guarded {
  readonly directory: string;
  /** Ends its servers and removes it; so does the end of this process, whatever brings it. */
  release(): Promise<void>;
}

/** Makes a path whose guard outlives this process; another guard than that of an ensemble is named by its file. */
export function guarded(name = 'data', guard = new URL('./guard.js', import.meta.url)): Guarded {
  const directory = join(mkdtempSync(join(realpathSync(tmpdir()), 'millrace-ensemble-')), name);
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  const watch = spawn(process.execPath, [fileURLToPath(guard), directory], {
    env,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  watch.unref();
  for (const stream of [watch.stdin, watch.stderr]) (stream as unknown as Socket).unref();
  const release = async (): Promise<void> => {
    let said = '';
    watch.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
    const code = await new Promise((resolve) => {
      watch.once('exit', resolve);
      watch.ref();
      watch.stdin.end();
    });
    if (code !== 0) throw new Error(`the guard of "${directory}" ended with ${String(code)}: ${said}`);
  };
  return { directory, release };
}

/** A path for an ensemble's directory, whose servers are ended and which is removed with the test. */
export function guardedDirectory(t: Test, name = 'data'): string {
  const { directory, release } = guarded(name);
  t.teardown(release);
  return directory;
}

/** Starts an ensemble of three servers, unless the options say otherwise. */
export async function runningEnsemble(t: Test, options: Partial<EnsembleOptions> = {}): Promise<Ensemble> {
  const directory = guardedDirectory(t);
  const { ensemble } = await startEnsemble({ ...testTimes, durable: false, ...options, directory });
  return ensemble;
}
