// The rule of progress: what the store keeps of a partition only grows, whoever writes it, and whoever starts a
// topology is given what was kept. In this world the progress of a partition is a number.

import type { Checkpoint } from '../../coordination/topology-records.js';
import type { Journal } from './journal.js';
import { jsonOf, type NodeChange } from './mirror.js';

type Piece = readonly (readonly [component: string, partition: string, progress: string])[];

export class Kept {
  private readonly journal: Journal;
  /** By id of the topology and name of the piece, then by partition. */
  private readonly pieces = new Map<string, Map<string, number>>();

  constructor(journal: Journal) {
    this.journal = journal;
  }

  /**
   * A piece of what is kept has changed.
   *
   * @param isWished - its topology has not ended
   */
  changed({ type, path, node }: NodeChange, isWished: boolean): void {
    if (type === 'delete') {
      if (isWished) this.journal.broken('progress', `${path} was deleted, and its topology has not ended`);
      this.pieces.delete(path);
      return;
    }
    const before = this.pieces.get(path);
    const now = new Map(
      jsonOf<Piece>(node).map(([component, partition, progress]) => {
        return [keyOf({ component, partition }), numberOf(Buffer.from(progress, 'base64'))] as const;
      }),
    );
    for (const [key, number] of before ?? []) {
      const next = now.get(key);
      if (next !== undefined && next >= number) continue;
      this.journal.broken('progress', `${path}: ${key} goes from ${number} back to ${next ?? 'nothing'}`);
    }
    this.pieces.set(path, now);
  }

  /** What is kept of that topology. */
  of(id: string): ReadonlyMap<string, number> {
    const mark = `/${id}/`;
    return new Map([...this.pieces].flatMap(([path, piece]) => (path.includes(mark) ? [...piece] : [])));
  }

  /** A topology starts with that. */
  started(id: string, checkpoints: readonly Checkpoint[]): void {
    const given = new Map(checkpoints.map((each) => [keyOf(each), numberOf(each.progress)] as const));
    for (const [key, number] of this.of(id)) {
      const from = given.get(key);
      if (from !== undefined && from >= number) continue;
      this.journal.broken('progress', `${id}: ${key} starts at ${from ?? 'nothing'}, and ${number} was kept`);
    }
  }
}

export function keyOf({ component, partition }: Omit<Checkpoint, 'progress'>): string {
  return `${component}/${partition}`;
}

export function numberOf(progress: Uint8Array): number {
  return Number(Buffer.from(progress).toString('utf8'));
}

export function progressOf(number: number): Uint8Array {
  return Buffer.from(String(number), 'utf8');
}
