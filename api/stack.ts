// Reads stacks: which frames belong to the user's code, and where the first of them is. Frames of Node.js and of this
// installation say nothing about a user's mistake and are left out, and so is all that called into `api/`: no user
// code is below that, except what started the process. Stacks come mapped to the source already, from threads that
// have source maps enabled. Main thread.

import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installationRoot } from './installation.js';

const OWN_DIRECTORIES = ['dist', 'engine', 'coordination'];
const ENTRY_DIRECTORIES = ['api', join('dist', 'api')];
/** The pool of threads calls the engine, never the user. */
const POOL = /[\\/]node_modules[\\/]piscina[\\/]/;
const FRAME = /^\s+at (?:async )?(?:(?<call>.*?) \()?(?<file>[^()]*?):(?<line>\d+):(?<column>\d+)\)?$/;

/** One frame of a stack that points into a file. */
export interface Frame {
  readonly call: string | null;
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** The frames of the user's own code and of the packages that it uses, innermost first. */
export function userFrames(stack: string | null): Frame[] {
  if (stack === null) return [];
  const root = installationRoot();
  const isIn = (frame: Frame, directories: readonly string[]): boolean =>
    directories.some((directory) => frame.path.startsWith(join(root, directory) + sep));
  const frames = stack
    .split('\n')
    .map(parseFrame)
    .filter((frame) => frame !== null)
    .filter((frame) => !POOL.test(frame.path));
  const entry = frames.findIndex((frame) => isIn(frame, ENTRY_DIRECTORIES));
  return frames.slice(0, entry === -1 ? undefined : entry).filter((frame) => !isIn(frame, OWN_DIRECTORIES));
}

/** `file:line:column` of the innermost frame of the user's code, or null when the stack has none. */
export function userPosition(stack: string | null): string | null {
  const first = userFrames(stack)[0];
  return first === undefined ? null : `${shortPath(first.path)}:${first.line}:${first.column}`;
}

/** A frame as it is shown under an error: `at Count.execute (count.ts:12:9)`. */
export function formatFrame(frame: Frame): string {
  const place = `${shortPath(frame.path)}:${frame.line}:${frame.column}`;
  return frame.call === null || frame.call === '<anonymous>' ? `at ${place}` : `at ${frame.call} (${place})`;
}

/** The path relative to the current directory where that is inside it, else as it is. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith(`..${sep}`) || short === '..' ? path : short;
}

function parseFrame(line: string): Frame | null {
  const groups = FRAME.exec(line)?.groups;
  const file = groups?.['file'];
  if (groups === undefined || file === undefined || file.startsWith('node:')) return null;
  const path = file.startsWith('file://') ? pathOf(file) : file;
  return { call: groups['call'] ?? null, path, line: Number(groups['line']), column: Number(groups['column']) };
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
