// Keeps files inside one directory, which whoever runs other people's topologies names (`--files DIR`). Checked twice:
// when a topology is taken in (`confinePath`), so that its author is told, and again each time a file is opened
// (`confinedFileSystem`), because a link may have been put in between.
// Invariant: what a confined file system opens for reading or writing, makes, renames or removes is inside the root,
// where `root` and every directory in it are real ones.
//
//   path ─► absolute, without ".." ─► links followed ─► real parent directory inside?
//     ─► open that directory ─► where is what was opened (/proc/self/fd)? inside ─► open the name in it, no link
//
// The last two steps close the gap between looking and opening, on Linux. What is left: where there is no /proc, a
// directory that is exchanged for a link in the microseconds between looking and opening (what was opened is then found
// to be another file, and is closed, but an empty one may have been made outside); hard links, which nothing tells from
// the file itself; mounts inside the root, which count as inside; and whoever may rename directories of the host. On
// any thread.

import { closeSync, constants, existsSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { isDynamicPattern } from 'tinyglobby';
import { failure, isMillraceError, type MillraceError } from '../../errors.js';
import { codeOf, NEW_FILE_MODE, READ_FLAGS, writeFlags, type FileSystem } from './file-system.js';

const DESCRIPTORS = '/proc/self/fd';
const hasDescriptors = process.platform !== 'win32' && existsSync(DESCRIPTORS);
const DIRECTORY_FLAGS = hasDescriptors ? constants.O_RDONLY | constants.O_DIRECTORY : 0;
const NO_LINK = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW;

/** A step up, also one that a pattern writes as `{a,..}`. */
const STEP_UP = /(?:^|[\\/{},(|])\.\.(?:$|[\\/{},)|])/;

/** What may stand in front of a character of a pattern, to take it as it is. */
const ESCAPE = /\\(?=[.{},()|])/g;

/** Links that were followed for one path at most: what the system itself allows. */
const LINKS_MAX = 40;

/**
 * The absolute path of a file that a confined component names, checked with its links. The file need not exist; of what
 * exists, nothing may lead out. A relative path starts in the root. Of a pattern the part before its first wildcard is
 * checked; each file that it matches is checked when it is opened.
 *
 * @param path - as the settings of the component have it: a file, or a pattern of `file-lines`
 * @param root - an existing directory
 * @throws MILLRACE_FILE_OUTSIDE
 */
export function confinePath(path: string, root: string): string {
  try {
    realTarget(isDynamicPattern(path) ? fixedPart(path, root) : path, root);
  } catch (error) {
    // What may not even be looked at cannot be told to be inside.
    throw isMillraceError(error) ? error : outside(path, root);
  }
  return resolve(root, path);
}

/** Calls the given file system for files inside the root only; relative paths start in the root. */
export function confinedFileSystem(system: FileSystem, root: string): FileSystem {
  const open = (path: string, flags: number): number => openInside(path, root, flags);
  return {
    ...system,
    whole: (path) => resolve(root, path),
    openToRead: (path) => open(path, READ_FLAGS),
    openToWrite: (path, alsoRead) => open(path, writeFlags(alsoRead)),
    statPath: (path) => {
      try {
        return system.statPath(realTarget(path, root));
      } catch {
        return null;
      }
    },
    rename: (from, to) => system.rename(realName(from, root), realName(to, root)),
    remove: (path) => system.remove(realName(path, root)),
    list: (directory) => system.list(realTarget(directory, root)),
    syncNames: (path) => system.syncNames(realName(path, root)),
  };
}

/** The directories of a pattern before its first wildcard. */
function fixedPart(pattern: string, root: string): string {
  if (STEP_UP.test(pattern.replaceAll(ESCAPE, ''))) throw outside(pattern, root);
  const plain = pattern.slice(0, pattern.search(/[*?[\]{}()!@+]/));
  const end = Math.max(plain.lastIndexOf('/'), plain.lastIndexOf(sep));
  return end <= 0 ? plain.slice(0, end + 1) || '.' : plain.slice(0, end);
}

/**
 * Where a path leads, every link followed; what does not exist yet is taken as it is written.
 *
 * @throws MILLRACE_FILE_OUTSIDE
 */
function realTarget(path: string, root: string): string {
  const real = realOf(checked(path, root), path, root, 0);
  if (!isInside(real, realpathSync(root))) throw outside(path, root);
  return real;
}

/** As `realTarget`, but a link in the last place is not followed: it is what is renamed or removed. */
function realName(path: string, root: string): string {
  const whole = checked(path, root);
  const parent = realOf(dirname(whole), path, root, 0);
  if (!isInside(parent, realpathSync(root))) throw outside(path, root);
  return join(parent, basename(whole));
}

/** @throws MILLRACE_FILE_OUTSIDE for a path that leaves the root as it is written, or that no system takes */
function checked(path: string, root: string): string {
  const whole = resolve(root, path);
  const stepsUp = path.split(/[\\/]/).includes('..');
  if (stepsUp || path.includes('\0') || !(isInside(whole, resolve(root)) || isInside(whole, realpathSync(root)))) {
    throw outside(path, root);
  }
  return whole;
}

function realOf(whole: string, path: string, root: string, links: number): string {
  try {
    return realpathSync(whole);
  } catch (error) {
    // The second one: what was a link when it was looked at is none any more.
    if (codeOf(error) === 'ELOOP' || codeOf(error) === 'EINVAL') throw outside(path, root);
    if (codeOf(error) !== 'ENOENT' || whole === parse(whole).root) throw error;
  }
  const parent = realOf(dirname(whole), path, root, links);
  const name = join(parent, basename(whole));
  let target: string;
  try {
    target = readlinkSync(name);
  } catch {
    return name;
  }
  // A link to what does not exist: opening it to write would make that.
  if (links >= LINKS_MAX) throw outside(path, root);
  return realOf(resolve(parent, target), path, root, links + 1);
}

function openInside(path: string, root: string, flags: number): number {
  const real = realTarget(path, root);
  const realRoot = realpathSync(root);
  if (real === realRoot || !hasDescriptors) return openAndLook(real, path, root, flags);
  const directory = openSync(dirname(real), DIRECTORY_FLAGS);
  try {
    if (!isInside(readlinkSync(`${DESCRIPTORS}/${directory}`), realRoot)) throw outside(path, root);
    return openSync(`${DESCRIPTORS}/${directory}/${basename(real)}`, flags | NO_LINK, NEW_FILE_MODE);
  } catch (error) {
    // In the last place now stands a link where none was a moment ago.
    throw codeOf(error) === 'ELOOP' ? outside(path, root) : error;
  } finally {
    closeSync(directory);
  }
}

/** Where the system does not tell what a descriptor is: looks once more whether the path still leads there. */
function openAndLook(real: string, path: string, root: string, flags: number): number {
  const file = openSync(real, flags | NO_LINK, NEW_FILE_MODE);
  try {
    if (realTarget(path, root) !== real) throw outside(path, root);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function outside(path: string, root: string): MillraceError {
  return failure('MILLRACE_FILE_OUTSIDE', { path, root }, { fatal: true });
}
