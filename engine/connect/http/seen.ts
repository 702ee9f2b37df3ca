// The ids of records that came before, the most recent ones: a record that is still in the next answer is not emitted
// again. Invariant: never more than `max` ids; the one that was not met for the longest time is forgotten first. Any
// thread.

import { createHash } from 'node:crypto';
import { POLL_ID_LENGTH_MAX } from '../../limits.js';

export class SeenIds {
  private readonly max: number;
  private readonly ids = new Set<string>();

  constructor(max: number) {
    this.max = max;
  }

  /** Whether that id was met before; from now on it was. */
  meet(id: unknown): boolean {
    const text = keyOf(id);
    const known = this.ids.delete(text);
    this.ids.add(text);
    if (this.ids.size > this.max) {
      const [oldest = ''] = this.ids;
      this.ids.delete(oldest);
    }
    return known;
  }
}

/** 1 and "1" are two ids. */
function keyOf(id: unknown): string {
  const text = JSON.stringify(id);
  if (text.length <= POLL_ID_LENGTH_MAX) return text;
  return createHash('sha256').update(text).digest('base64');
}
