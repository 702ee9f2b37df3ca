// How a host is reached by others, from the flags of the command line: the secret and the certificates stand in files,
// because everybody on a machine may read arguments. Main thread of the host process.

import { readFile, stat } from 'node:fs/promises';
import { failure, reasonOf } from '../../engine/errors.js';
import { LINK_FILE_BYTES_MAX } from '../../engine/limits.js';
import type { LinkOptions } from '../host/options.js';
import type { LinkFlags } from './host-messages.js';

/**
 * Reads the files.
 *
 * @throws MILLRACE_HOST_OPTION with the file that cannot be read, or the flag that is missing
 */
export async function readLinks(flags: LinkFlags): Promise<LinkOptions> {
  const { address, ports, secretFile } = flags;
  const secret = secretFile === null ? null : (await read('--secret-file', secretFile)).trim();
  if (secret === '') throw refused('--secret-file', secretFile!, 'a file with a secret in it');
  return {
    ...(address === null ? {} : { address }),
    ports,
    ...(secret === null ? {} : { secret }),
    tls: await readTls(flags),
  };
}

async function readTls({ tlsKey, tlsCert, tlsCa }: LinkFlags): Promise<NonNullable<LinkOptions['tls']> | null> {
  if (tlsKey === null && tlsCert === null && tlsCa === null) return null;
  const wanted = { '--tls-key': tlsKey, '--tls-cert': tlsCert, '--tls-ca': tlsCa };
  const [key = '', cert = '', ca = ''] = await Promise.all(
    Object.entries(wanted).map(async ([flag, file]) => {
      if (file !== null) return await read(flag, file);
      throw refused(flag, 'nothing', 'all three of --tls-key, --tls-cert and --tls-ca');
    }),
  );
  return { key, cert, ca };
}

async function read(flag: string, file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > LINK_FILE_BYTES_MAX) throw new Error(`it has ${size} bytes, above ${LINK_FILE_BYTES_MAX}`);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw refused(flag, file, `a file that can be read: ${reasonOf(error)}`);
  }
}

function refused(option: string, given: string, expected: string): Error {
  return failure('MILLRACE_HOST_OPTION', { option, given, expected });
}
