// Who has a data directory open: one process at a time, and one that was killed never blocks the next. A claim is a
// socket of its own in the directory, whose name has the process id, and the kernel answers for it: a connection is
// accepted as long as the process lives, stopped or busy as it may be, and refused once it is dead. So neither clocks
// nor reused process ids matter.
//
//   listen on claim-PID-ID ─► rename to lock-PID-ID ─► look at every other lock-*
//                                                         ├ one answers:    take the own one back, refuse
//                                                         └ nobody answers: it is dead for good, delete it
//
// Invariant: a claim has its last name only while it is listening, and everybody looks after showing its own. Of two
// that come at the same moment at least one sees the other; never do both go on. The host's main thread.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { failure } from '../../../engine/errors.js';

/** A directory that is held. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/** The longest path that a socket can have on every system. */
const SOCKET_PATH_BYTES_MAX = 100;

/** Claims that came at the same moment all step back; after so many of them it is told. */
const ATTEMPTS = 3;

/**
 * Takes the directory.
 *
 * @throws MILLRACE_STORE_IN_USE with the process that has it
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const reach = await socketPaths(directory);
  try {
    for (let attempt = 1; ; attempt++) {
      const claim = await show(directory, reach.pathOf);
      const pid = await otherHolder(directory, claim.name, reach.pathOf);
      if (pid === null) {
        await removeStaleClaims(directory, reach.pathOf);
        return { release: () => claim.withdraw().then(reach.close) };
      }
      await claim.withdraw();
      if (attempt === ATTEMPTS) throw failure('MILLRACE_STORE_IN_USE', { directory, pid });
    }
  } catch (error) {
    await reach.close();
    throw error;
  }
}

interface Claim {
  readonly name: string;
  withdraw(): Promise<void>;
}

async function show(directory: string, pathOf: (name: string) => string, attempts = ATTEMPTS): Promise<Claim> {
  const id = `${process.pid}-${randomUUID().slice(0, 8)}`;
  const name = `lock-${id}`;
  const server = createServer((socket) => socket.destroy());
  server.listen(pathOf(`claim-${id}`));
  await once(server, 'listening');
  server.unref();
  const withdraw = async (): Promise<void> => {
    await rm(join(directory, name), { force: true });
    await closed(server);
  };
  try {
    await rename(join(directory, `claim-${id}`), join(directory, name));
  } catch (error) {
    await withdraw();
    // Whoever has the directory took it for one of a dead process, just before it listened.
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isGone && attempts > 1) return await show(directory, pathOf, attempts - 1);
    throw error;
  }
  return { name, withdraw };
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** The process that holds another claim, or null; claims of dead ones are deleted. */
async function otherHolder(
  directory: string,
  own: string,
  pathOf: (name: string) => string,
): Promise<number | string | null> {
  for (const name of await readdir(directory)) {
    const pid = /^lock-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || name === own) continue;
    if (await answers(pathOf(name))) return pid;
    await rm(join(directory, name), { force: true });
  }
  return null;
}

/** What processes left that died between listening and their last name. */
async function removeStaleClaims(directory: string, pathOf: (name: string) => string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!/^claim-\d+-/.test(name) || (await answers(pathOf(name)))) continue;
    await rm(join(directory, name), { force: true });
  }
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // Refused: nobody listens. Absent: it was just withdrawn. Anything else is no proof of a death.
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ECONNREFUSED' && code !== 'ENOENT';
  } finally {
    socket.destroy();
  }
}

/** How to name sockets of that directory: paths of sockets are short, so a long one goes by an open directory. */
async function socketPaths(
  directory: string,
): Promise<{ readonly pathOf: (name: string) => string; readonly close: () => Promise<void> }> {
  const longest = join(directory, `claim-${'0'.repeat(10)}-${'0'.repeat(8)}`);
  if (Buffer.byteLength(longest) <= SOCKET_PATH_BYTES_MAX) {
    return { pathOf: (name) => join(directory, name), close: async () => undefined };
  }
  if (process.platform !== 'linux') {
    const reason = `its path is longer than the ${SOCKET_PATH_BYTES_MAX} bytes that a socket in it can have`;
    throw failure('MILLRACE_STORE_DIRECTORY', { directory, reason });
  }
  const handle = await open(directory, 'r');
  return { pathOf: (name) => `/proc/self/fd/${handle.fd}/${name}`, close: () => handle.close() };
}
