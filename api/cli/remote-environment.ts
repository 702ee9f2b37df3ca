// What the commands that talk to a host work with in a real process: its streams and signals, the machine's clock, the
// HTTP client, and the file that is submitted. Main thread.

import { RealClock } from '../../engine/clock.js';
import { MillraceClient } from '../client/client.js';
import { readTopologyFile } from '../topology-file.js';
import type { RemoteEnvironment } from './remote.js';
import { listenForSignals } from './signals.js';
import type { SubmitEnvironment, SubmitFile } from './submit.js';

/** The environment of this process. */
export function remoteEnvironment(): RemoteEnvironment {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    clock: new RealClock(),
    env: process.env,
    onSignal: listenForSignals,
    connect: (url) => new MillraceClient({ url }),
  };
}

export function submitEnvironment(): SubmitEnvironment {
  return { ...remoteEnvironment(), read: readSubmitFile };
}

/**
 * Reads a document, or bundles a module.
 *
 * @throws MILLRACE_RUN_FILE_MISSING, MILLRACE_RUN_FILE_UNREADABLE, MILLRACE_RUN_FILE_KIND
 * @throws MILLRACE_DOCUMENT_SYNTAX, MILLRACE_DOCUMENT_TOO_LARGE for a document
 * @throws MILLRACE_BUNDLE_SYNTAX, MILLRACE_BUNDLE_IMPORT, MILLRACE_BUNDLE_ADDON, MILLRACE_BUNDLE_FAILED for a module
 */
export async function readSubmitFile(file: string): Promise<SubmitFile> {
  const found = await readTopologyFile(file);
  if (found.kind === 'document') return { ...found, warnings: [] };
  const { bundleArtifact } = await import('../bundle.js');
  return { kind: 'artifact', ...(await bundleArtifact(file)) };
}
