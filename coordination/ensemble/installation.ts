// Finds what a ZooKeeper server needs on this machine: a Java program and the jars. The jars are those of the
// directory that ZOOKEEPER_HOME names, unpacked from an Apache release, else those of Debian's package `zookeeper`.
// Reads directories only when asked. Main thread.

import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { failure, reasonOf } from '../../engine/errors.js';

/** What a server is started with. */
export interface Installation {
  /** The Java program. */
  readonly java: string;
  /** What Java's `-cp` takes. */
  readonly classPath: string;
}

/** Where Debian keeps the jars of its packages. */
const DEBIAN_JARS = '/usr/share/java';

/**
 * Its manifest names the others, but for: what writes the log (without it nothing is logged), and the parts of Netty
 * that TLS needs.
 */
const DEBIAN_NAMES = [
  'zookeeper.jar',
  'slf4j-simple.jar',
  'netty-codec.jar',
  'netty-resolver.jar',
  'netty-transport-native-unix-common.jar',
] as const;

/**
 * Finds Java and ZooKeeper.
 *
 * @param env - the environment: ZOOKEEPER_HOME, JAVA_HOME and PATH are looked at
 * @param debianJars - where Debian's jars are
 * @throws MILLRACE_ZOOKEEPER_MISSING with what to install
 */
export async function findZooKeeper(
  env: Readonly<Record<string, string | undefined>> = process.env,
  debianJars = DEBIAN_JARS,
): Promise<Installation> {
  const home = env['ZOOKEEPER_HOME'] ?? '';
  const classPath = home === '' ? await debianClassPath(debianJars) : await releaseClassPath(home);
  return { classPath, java: await findJava(env) };
}

async function debianClassPath(directory: string): Promise<string> {
  const jars = DEBIAN_NAMES.map((name) => join(directory, name));
  for (const jar of jars) {
    if (await can(jar, constants.R_OK)) continue;
    throw missing(jar, 'it comes with the package zookeeper, and ZOOKEEPER_HOME names no other installation');
  }
  return jars.join(delimiter);
}

async function releaseClassPath(home: string): Promise<string> {
  const jars = join(home, 'lib');
  let names: readonly string[];
  try {
    names = await readdir(jars);
  } catch (error) {
    throw missing(jars, `ZOOKEEPER_HOME is "${home}", and its jars cannot be read: ${reasonOf(error)}`);
  }
  if (!names.some((name) => /^zookeeper-\d.*\.jar$/.test(name))) {
    throw missing(join(jars, 'zookeeper-VERSION.jar'), `ZOOKEEPER_HOME is "${home}", whose lib has no such jar`);
  }
  // What logs reads its settings from there.
  return [join(home, 'conf'), join(jars, '*')].join(delimiter);
}

async function findJava(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const home = env['JAVA_HOME'] ?? '';
  if (home !== '') {
    const java = join(home, 'bin', 'java');
    if (await can(java, constants.X_OK)) return java;
    throw missing(java, `JAVA_HOME is "${home}", and no program is there`);
  }
  for (const directory of (env['PATH'] ?? '').split(delimiter)) {
    if (directory !== '' && (await can(join(directory, 'java'), constants.X_OK))) return join(directory, 'java');
  }
  throw missing('java', 'it is in no directory of PATH, and JAVA_HOME is not set');
}

async function can(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function missing(what: string, reason: string): Error {
  return failure('MILLRACE_ZOOKEEPER_MISSING', { what, reason });
}
