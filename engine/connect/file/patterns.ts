// Which files a `path` of `file-lines` names: one, or all that match a pattern such as `logs/**/*.log`. What exists
// under the very name is that file, whatever characters it holds. Invariant: the files come sorted by name, each once.
// Any thread.

import { isAbsolute } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { failure } from '../../errors.js';
import { FILES_MATCHED_MAX } from '../../limits.js';
import { confinePath } from './confine.js';

/** Whether that can match other files than the one with this name. */
export function isPattern(path: string): boolean {
  return isDynamicPattern(path);
}

/** Searches for what a pattern matches. */
export type SearchFiles = (pattern: string, root: string | null) => Promise<readonly string[]>;

/**
 * The files that match now. A confined search looks through no symbolic link, and does not leave the root.
 *
 * @param root - what the files are confined to, and where relative patterns start; or null
 * @throws MILLRACE_FILE_TOO_MANY, MILLRACE_FILE_OUTSIDE
 */
export async function filesMatching(
  pattern: string,
  root: string | null,
  search: SearchFiles = searchDisk,
): Promise<readonly string[]> {
  if (root !== null) confinePath(pattern, root);
  const found = await search(pattern, root);
  if (found.length > FILES_MATCHED_MAX) {
    const details = { pattern, files: found.length, filesMax: FILES_MATCHED_MAX };
    throw failure('MILLRACE_FILE_TOO_MANY', details, { fatal: true });
  }
  return found.toSorted();
}

/** Searches the machine's disk. */
export async function searchDisk(pattern: string, root: string | null): Promise<readonly string[]> {
  return glob(pattern, {
    ...(root === null ? {} : { cwd: root }),
    absolute: isAbsolute(pattern),
    expandDirectories: false,
    followSymbolicLinks: root === null,
  });
}
