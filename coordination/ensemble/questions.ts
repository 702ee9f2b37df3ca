// What a server says of itself: ZooKeeper answers words of four letters as text, and ends the connection. A server that
// is up but has no quorum answers too, without a mode, so only a mode says that it serves clients. Main thread.

import { connect } from 'node:net';
import { failure, reasonOf } from '../../engine/errors.js';
import { ENSEMBLE_ANSWER_BYTES_MAX, ENSEMBLE_ANSWER_MS } from '../../engine/limits.js';
import type { Clock } from '../../engine/clock.js';
import { ENSEMBLE_HOST } from './configuration.js';

/** What a server is in its ensemble; alone it is `standalone`. */
export type ServerMode = 'leader' | 'follower' | 'standalone';

/** What a server that serves says of itself. */
export interface ServerAnswer {
  readonly mode: ServerMode;
  /** The last change of the ensemble that it knows, in hexadecimal: `0x100000002`. */
  readonly zxid: string;
  /** Clients that are connected to it, the one that asks among them. */
  readonly connections: number;
}

/**
 * Asks a server.
 *
 * @param word - `srvr`, `mntr`, `cons`, `dump`, …
 * @throws MILLRACE_STORE_UNAVAILABLE when nobody answers
 */
export async function ask(port: number, word: string, clock: Clock, timeoutMs = ENSEMBLE_ANSWER_MS): Promise<string> {
  const socket = connect({ port, host: ENSEMBLE_HOST });
  const unavailable = (reason: string): Error =>
    failure('MILLRACE_STORE_UNAVAILABLE', { what: `"${word}" at ${ENSEMBLE_HOST}:${port}`, reason });
  const timer = clock.after(timeoutMs, () => socket.destroy(unavailable(`no answer within ${timeoutMs} ms`)));
  let text = '';
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.setEncoding('latin1').on('data', (part: string) => {
        text += part;
        if (text.length > ENSEMBLE_ANSWER_BYTES_MAX) socket.destroy(unavailable('its answer does not end'));
      });
      socket.once('end', () => resolve(text));
      socket.once('error', (error) => reject(unavailable(reasonOf(error))));
      socket.once('close', () => reject(unavailable('the connection was cut')));
      socket.write(word);
    });
  } finally {
    timer.cancel();
    socket.destroy();
  }
}

/** Whether somebody takes connections at that port. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: ENSEMBLE_HOST });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}

/** Reads the answer to `srvr`; null when the server does not serve clients. */
export function readAnswer(text: string): ServerAnswer | null {
  const mode = /^Mode: (leader|follower|standalone)$/m.exec(text)?.[1] as ServerMode | undefined;
  if (mode === undefined) return null;
  const zxid = /^Zxid: (0x[0-9a-f]+)$/m.exec(text)?.[1] ?? '';
  const connections = Number(/^Connections: (\d+)$/m.exec(text)?.[1] ?? 0);
  return { mode, zxid, connections };
}
