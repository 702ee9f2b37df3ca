// What tells a new connection which watches a session has: the paths in pieces, because a server drops a connection for
// a packet above a megabyte. It answers with what has changed since the change that the session had seen last. Pure.

import { ZOOKEEPER_WATCHES_BYTES } from '../../../engine/limits.js';
import { longOf, operations, protocolRecord, xids } from './codec.js';
import type { FirstPacket } from './connection.js';

/** Paths as the server has them, by how they are watched. */
export interface ArmedPaths {
  readonly data: string[];
  readonly exist: string[];
  readonly child: string[];
}

const kinds = ['data', 'exist', 'child'] as const;

/** The packets for these paths; none for none. */
export function packetsOf(zxid: bigint, armed: ArmedPaths): readonly FirstPacket[] {
  const packets: FirstPacket[] = [];
  let piece: ArmedPaths = { data: [], exist: [], child: [] };
  let bytes = 0;
  const flush = (): void => {
    if (bytes === 0) return;
    const payload = protocolRecord('SetWatches', longOf(zxid), piece.data, piece.exist, piece.child);
    packets.push({ xid: xids.setWatches, operation: operations.setWatches, payload });
    piece = { data: [], exist: [], child: [] };
    bytes = 0;
  };
  for (const kind of kinds) {
    for (const path of armed[kind]) {
      const length = 4 + Buffer.byteLength(path);
      if (bytes + length > ZOOKEEPER_WATCHES_BYTES) flush();
      piece[kind].push(path);
      bytes += length;
    }
  }
  flush();
  return packets;
}
