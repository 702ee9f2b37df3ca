// Progress of spouts in the store: what a restarted host goes on from. Partitions are dealt over a few nodes by their
// name, and a write replaces those nodes that changed; the progress of all topologies of a host is gathered to one
// write a second. Whoever starts a topology claims its progress first, with a compare-and-set, and every write checks
// that claim: a host that lost the topology cannot set it back. Main thread.

import { crc32 } from 'node:zlib';
import type { Clock, Timer } from '../engine/clock.js';
import { failure, reasonOf } from '../engine/errors.js';
import {
  CHECKPOINT_GATHER_MS,
  CHECKPOINT_PIECES,
  CHECKPOINT_WRITE_BYTES_MAX,
  STORE_NODE_BYTES_MAX,
} from '../engine/limits.js';
import type { Logger } from '../engine/log.js';
import { checkpointsPath } from './paths.js';
import { fromNode, toData } from './store/json-node.js';
import type { Operation, Session } from './store/contract.js';
import { childOf } from './store/node-path.js';
import { pause } from './store/signals.js';
import { hasCode, isPassing, operationOf } from './store/store-errors.js';
import type { Checkpoint, CheckpointChange } from './topology-records.js';

/** `[component, partition, progress in base64]` of every partition in a piece. */
type PieceRecord = readonly (readonly [string, string, string])[];

interface Piece {
  readonly entries: Map<string, readonly [string, string, string]>;
  /** Its node is there. */
  created: boolean;
  dirty: boolean;
}

/** The progress of one topology, claimed by this host. */
export class Progress {
  readonly topology: string;
  readonly path: string;
  /** The version that the claim left; another one means that somebody else has the topology. */
  readonly claim: number;
  readonly pieces: readonly Piece[];
  /** Somebody else has claimed it, or the topology has ended. */
  lost = false;

  constructor(topology: string, path: string, claim: number, pieces: readonly Piece[]) {
    this.topology = topology;
    this.path = path;
    this.claim = claim;
    this.pieces = pieces;
  }

  /** What is kept. */
  all(): readonly Checkpoint[] {
    return this.pieces.flatMap(checkpointsOf);
  }

  /** What is kept with the next write. */
  unwritten(): readonly Checkpoint[] {
    return this.pieces.filter(({ dirty }) => dirty).flatMap((piece) => checkpointsOf(piece));
  }

  set({ component, partition, progress }: CheckpointChange): void {
    const key = JSON.stringify([component, partition]);
    const piece = this.pieces[crc32(key) % CHECKPOINT_PIECES]!;
    if (progress !== null) piece.entries.set(key, [component, partition, Buffer.from(progress).toString('base64')]);
    else if (!piece.entries.delete(key)) return;
    piece.dirty = true;
  }
}

function checkpointsOf({ entries }: Piece): readonly Checkpoint[] {
  return [...entries.values()].map(([component, partition, progress]) => {
    return { component, partition, progress: Uint8Array.from(Buffer.from(progress, 'base64')) };
  });
}

/**
 * Takes over the progress of a topology, and reads it.
 *
 * @param topology - its name, for errors
 * @param isOurs - rejects when the topology is somebody else's by now; asked between reading the claim and writing it,
 * so that who has taken it over since is either seen by this or by the version of the claim
 * @throws what the store and `isOurs` throw; MILLRACE_STORE_BAD_VERSION when somebody else took it over at the same
 * moment
 */
export async function claimProgress(
  session: Session,
  topology: string,
  id: string,
  revision: number,
  isOurs: () => Promise<void> = async () => undefined,
): Promise<Progress> {
  const path = checkpointsPath(id);
  await session.create(path, toData({ revision: 0 })).catch((error: unknown) => {
    if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
  });
  const { version } = (await session.get(path)).stat;
  await isOurs();
  const claimed = await session.set(path, toData({ revision }), version);
  const names = new Set(await session.children(path));
  const read = async (number: number): Promise<Piece> => {
    if (!names.has(String(number))) return { entries: new Map(), created: false, dirty: false };
    const node = await session.get(childOf(path, String(number)));
    const record = fromNode(node, isPiece);
    const entries = new Map(record.map((entry) => [JSON.stringify([entry[0], entry[1]]), entry] as const));
    return { entries, created: true, dirty: false };
  };
  const pieces = await Promise.all(Array.from({ length: CHECKPOINT_PIECES }, (_, number) => read(number)));
  return new Progress(topology, path, claimed.version, pieces);
}

/** Whether that is a piece of the progress of a topology. */
export function isPiece(value: unknown): value is PieceRecord {
  return (
    Array.isArray(value) &&
    value.every(
      (entry) => Array.isArray(entry) && entry.length === 3 && entry.every((each) => typeof each === 'string'),
    )
  );
}

export interface CheckpointWriterOptions {
  readonly session: () => Promise<Session>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Write {
  readonly progress: Progress;
  /** Null for the check of the claim. */
  readonly piece: Piece | null;
  readonly operation: Operation;
}

/** Gathers the progress of every topology of a host, and writes it. */
export class CheckpointWriter {
  private readonly options: CheckpointWriterOptions;
  private readonly changed = new Set<Progress>();
  private timer: Timer | null = null;
  private writing: Promise<void> = Promise.resolve();

  constructor(options: CheckpointWriterOptions) {
    this.options = options;
  }

  /** Keeps it with the next write. */
  add(progress: Progress, checkpoint: CheckpointChange): void {
    if (progress.lost) return;
    progress.set(checkpoint);
    this.changed.add(progress);
    this.timer ??= this.options.clock.after(CHECKPOINT_GATHER_MS, () => {
      this.timer = null;
      void this.flush();
    });
  }

  /** The topology is over: what was not written is not needed. */
  drop(progress: Progress): void {
    progress.lost = true;
    this.changed.delete(progress);
  }

  /** Writes what was gathered; resolves when it is on disk, or was put off to the next write. */
  async flush(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    await this.writing;
  }

  /** Resolves when all that was added of it is on disk, or is not kept here any more; or with the signal. */
  async written(progress: Progress, signal: AbortSignal): Promise<void> {
    while (this.changed.has(progress) && !signal.aborted) {
      await this.flush();
      if (this.changed.has(progress)) await pause(this.options.clock, CHECKPOINT_GATHER_MS, signal);
    }
  }

  /** Writes for the last time. */
  async close(): Promise<void> {
    await this.flush();
    this.timer?.cancel();
    this.timer = null;
  }

  private async write(): Promise<void> {
    const { session, logger } = this.options;
    let failed = false;
    while (this.changed.size > 0 && !failed) {
      const writes = this.nextWrites();
      if (writes.length === 0) break;
      for (const { piece } of writes) if (piece !== null) piece.dirty = false;
      try {
        await (await session()).multi(writes.map(({ operation }) => operation));
        for (const { piece } of writes) if (piece !== null) piece.created = true;
      } catch (error) {
        for (const { piece } of writes) if (piece !== null) piece.dirty = true;
        failed = !this.mended(writes, error);
        if (failed) logger.warn(`progress of spouts was not kept, and is tried again: ${reasonOf(error)}`);
      }
    }
    if (failed && this.changed.size > 0) {
      this.timer ??= this.options.clock.after(CHECKPOINT_GATHER_MS, () => {
        this.timer = null;
        void this.flush();
      });
    }
  }

  /** What changed, as much as one transaction takes. */
  private nextWrites(): readonly Write[] {
    const writes: Write[] = [];
    let bytes = 0;
    for (const progress of [...this.changed]) {
      const dirty = progress.pieces.flatMap((piece, number) => (piece.dirty ? [{ piece, number }] : []));
      if (dirty.length === 0) {
        this.changed.delete(progress);
        continue;
      }
      const { path, claim } = progress;
      let first = true;
      for (const { piece, number } of dirty) {
        const data = toData([...piece.entries.values()] satisfies PieceRecord);
        if (data.byteLength > STORE_NODE_BYTES_MAX) {
          piece.dirty = false;
          this.options.logger.error(noRoom(progress));
          continue;
        }
        bytes += data.byteLength;
        if (bytes > CHECKPOINT_WRITE_BYTES_MAX && writes.length > 0) return writes;
        if (first) writes.push({ progress, piece: null, operation: { type: 'check', path, version: claim } });
        first = false;
        const target = { path: childOf(path, String(number)), data };
        const operation: Operation = piece.created
          ? { type: 'set', ...target, version: null }
          : { type: 'create', ...target };
        writes.push({ progress, piece, operation });
      }
    }
    return writes;
  }

  /** Whether the next try can go better at once. */
  private mended(writes: readonly Write[], error: unknown): boolean {
    const operation = operationOf(error);
    const write = operation === null ? undefined : writes[operation];
    if (write === undefined || isPassing(error)) return false;
    const { progress, piece } = write;
    const { logger } = this.options;
    if (piece === null) {
      if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) return false;
      logger.info(`progress of topology "${progress.topology}" is not kept here any more: ${reasonOf(error)}`);
      this.drop(progress);
    } else if (!piece.created && hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) {
      // An answer got lost: it is there already.
      piece.created = true;
    } else if (piece.created && hasCode(error, 'MILLRACE_STORE_NO_NODE')) {
      // The claim stands, so somebody deleted it by hand.
      piece.created = false;
    } else {
      // Its next change is tried again.
      logger.error(`some progress of topology "${progress.topology}" was not kept: ${reasonOf(error)}`);
      piece.dirty = false;
    }
    return true;
  }
}

function noRoom({ topology }: Progress): string {
  const bytesMax = STORE_NODE_BYTES_MAX;
  return failure('MILLRACE_CHECKPOINT_NO_ROOM', { topology, bytesMax, pieces: CHECKPOINT_PIECES }).message;
}
