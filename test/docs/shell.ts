// Runs the commands that a page shows as a reader would type them: `npx millrace` is the command of this build. Each
// runs in a directory that holds the files of the page.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './blocks.js';

/** What `npx millrace` and `node` stand for. */
const PRELUDE = `
npx() { shift; "$NODE" "$MAIN" "$@"; }
node() { "$NODE" "$@"; }
`;

/** Ends what hangs, so that the test tells what it wrote. */
const TIMEOUT_MS = 60_000;

/** What a command wrote. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the commands of a block, to its end.
 *
 * @throws when one of them fails, with what it wrote
 */
export async function runCommands(
  directory: string,
  commands: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return await promisify(execFile)('bash', ['-euc', PRELUDE + commands], {
    cwd: directory,
    env: { ...process.env, ...env, NODE: process.execPath, MAIN: join(root, 'dist/api/cli/main.js') },
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
}
