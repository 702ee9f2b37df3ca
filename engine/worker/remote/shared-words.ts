// Counters of a topology whose workers are in several processes: the lead has them in shared memory, as always, and
// each member a copy in which its own workers write. What changed there is sent over a few times a second. One writer a
// word, so nothing is added up: the last value holds. On the main threads of both.

import type { ChangedWords, SharedMemory } from './messages.js';

/** The memory of the lead, by numbers under which members know it. */
export class LeadWords {
  private readonly numbers = new Map<SharedArrayBuffer, number>();
  private readonly words = new Map<number, Float64Array>();
  private next = 0;

  /** What a member needs to go on where the counters stand. */
  share(memory: SharedArrayBuffer): SharedMemory {
    const number = this.numbers.get(memory) ?? this.next++;
    this.numbers.set(memory, number);
    const words = this.words.get(number) ?? new Float64Array(memory);
    this.words.set(number, words);
    return { memory: number, bytes: memory.byteLength, set: changesOf(number, words, new Float64Array(words.length)) };
  }

  /** Nobody counts there any more. Gives the number that members know it by; null: they never heard of it. */
  forget(memory: SharedArrayBuffer): number | null {
    const number = this.numbers.get(memory);
    if (number === undefined) return null;
    this.numbers.delete(memory);
    this.words.delete(number);
    return number;
  }

  apply(changed: readonly ChangedWords[]): void {
    for (const { memory, places, words } of changed) {
      const target = this.words.get(memory);
      for (let i = 0; target !== undefined && i < places.length; i++) {
        if (places[i]! < target.length) target[places[i]!] = words[i]!;
      }
    }
  }
}

/** The memory of a member. */
export class MemberWords {
  private readonly kept = new Map<number, { readonly words: Float64Array; readonly sent: Float64Array }>();

  /**
   * The memory for a worker that starts.
   *
   * @param own - the words, from and to, in which it alone will count: they go on from where the lead says that they
   * stand, because it may have counted elsewhere since this process last had it
   */
  memoryOf({ memory, bytes, set }: SharedMemory, own: Spans = []): SharedArrayBuffer {
    let kept = this.kept.get(memory);
    if (kept !== undefined) {
      takeOver(kept.words, set, own);
      takeOver(kept.sent, set, own);
    } else {
      const words = new Float64Array(new SharedArrayBuffer(bytes));
      set.places.forEach((place, i) => (words[place] = set.words[i]!));
      kept = { words, sent: words.slice() };
      this.kept.set(memory, kept);
    }
    return kept.words.buffer as SharedArrayBuffer;
  }

  /** What changed since the last call. */
  takeChanges(): ChangedWords[] {
    const all: ChangedWords[] = [];
    for (const [memory, { words, sent }] of this.kept) {
      const changed = changesOf(memory, words, sent);
      if (changed.places.length > 0) all.push(changed);
    }
    return all;
  }

  /** Its lead has no more use for it. */
  forget(memory: number): void {
    this.kept.delete(memory);
  }

  /** Another lead counts anew. */
  clear(): void {
    this.kept.clear();
  }
}

/** Words, from and to. */
type Spans = readonly (readonly [from: number, to: number])[];

function takeOver(words: Float64Array, set: ChangedWords, own: Spans): void {
  const isOwn = new Uint8Array(words.length);
  for (const [from, to] of own) {
    isOwn.fill(1, from, to);
    words.fill(0, from, to);
  }
  set.places.forEach((place, i) => {
    if (isOwn[place] === 1) words[place] = set.words[i]!;
  });
}

/** Where words differ from what was sent of them, which is brought up to date. */
function changesOf(memory: number, words: Float64Array, sent: Float64Array): ChangedWords {
  const places: number[] = [];
  for (let place = 0; place < words.length; place++) {
    if (words[place] === sent[place]) continue;
    sent[place] = words[place]!;
    places.push(place);
  }
  return { memory, places: Uint32Array.from(places), words: Float64Array.from(places, (place) => sent[place]!) };
}
