// Texts that travel over a link again and again, such as words and names, are sent once and then named by a number: a
// dictionary at the sending end, the list of what it holds at the receiving one. It only ever grows, up to a bound;
// when that is reached a new generation begins, with the next frame. What still waits at the receiver then looks its
// texts up at once, so nothing has to be said about what is forgotten, and a link keeps one list however many there
// were.
//
//   frame 1  texts [the cow]   the=0 cow=1     generation 0:  the cow
//   frame 2  texts [moon]      moon=2          generation 0:  the cow moon           … full
//   frame 3  texts [dog]       dog=0           generation 1:  dog
//
// `numberOf` runs once for each text that is sent and allocates nothing for one that is known.

import { DICTIONARY_TEXT_LENGTH_MAX, DICTIONARY_TEXTS_MAX, TEXT_USERS_DROPPED_AT } from '../limits.js';
import { invalidFrame, unpackList } from './invalid-frame.js';
import { pack } from './pack.js';

/** What stands for a text that is not in the dictionary and cannot be. */
export const NO_NUMBER = -1;

/** The most bytes that so many texts take when packed: three a UTF-16 code unit, and what tells their length. */
export function dictionaryBytesMax(texts: number): number {
  return 5 + texts * (5 + 3 * DICTIONARY_TEXT_LENGTH_MAX);
}

/** The sending end. */
export class TextDictionary {
  generation = 0;
  /** Texts that are in no frame yet. */
  fresh: string[] = [];
  private readonly numbers = new Map<string, number>();
  private isFull = false;

  /** The number of the first of the fresh texts. */
  get firstFresh(): number {
    return this.numbers.size - this.fresh.length;
  }

  /** The number of that text, which is added when it is new; `NO_NUMBER` when it is too long, or there is no room. */
  numberOf(text: string): number {
    const number = this.numbers.get(text);
    return number === undefined ? this.add(text) : number;
  }

  private add(text: string): number {
    if (text.length > DICTIONARY_TEXT_LENGTH_MAX) return NO_NUMBER;
    const number = this.numbers.size;
    if (number === DICTIONARY_TEXTS_MAX) {
      this.isFull = true;
      return NO_NUMBER;
    }
    this.numbers.set(text, number);
    this.fresh.push(text);
    return number;
  }

  /** The fresh texts, packed; they are fresh no longer. */
  takeFresh(): Uint8Array {
    const packed = pack(this.fresh);
    this.fresh = [];
    return packed;
  }

  /** The frame that used it is finished: what found no room is in the next generation. */
  endFrame(): void {
    if (!this.isFull) return;
    this.isFull = false;
    this.numbers.clear();
    this.generation = (this.generation + 1) | 0;
  }
}

/** What waits and names texts of the list that was the link's when it came. */
export interface TextUser {
  /** Nothing of it waits any longer. */
  readonly isUsedUp: boolean;
  /** Takes the texts that it names, and lets go of the list. */
  takeTexts(): void;
}

/** The receiving end. */
export class ReceivedTexts {
  /** Those of the generation that is under way, by their numbers. Another list for each generation. */
  texts: string[] = [];
  private generation = 0;
  /** All that wait and name texts of this generation, and some that were used up since these were last looked for. */
  private users: TextUser[] = [];
  private usersMax = TEXT_USERS_DROPPED_AT;

  /** That keeps the list from now on. */
  usedBy(user: TextUser): void {
    this.users.push(user);
    if (this.users.length < this.usersMax) return;
    this.users = this.users.filter(({ isUsedUp }) => !isUsedUp);
    // As many again have to come before the next look, so that it costs each of them next to nothing.
    this.usersMax = Math.max(TEXT_USERS_DROPPED_AT, 2 * this.users.length);
  }

  /** How many are known to keep the list, used up or not. */
  get kept(): number {
    return this.users.length;
  }

  /** Nobody keeps the list any longer, of those that had it until now. */
  release(): void {
    for (const user of this.users) if (!user.isUsedUp) user.takeTexts();
    this.users = [];
    this.usersMax = TEXT_USERS_DROPPED_AT;
  }

  /**
   * Adds the texts of a frame.
   *
   * @param first - the number of the first of them
   * @throws MILLRACE_FRAME_INVALID
   */
  add(generation: number, first: number, count: number, packed: Uint8Array): void {
    const texts = unpackList(packed, 'a dictionary');
    if (texts.length !== count) throw invalidFrame('a dictionary has another number of texts than it says');
    const known = generation === this.generation ? this.texts : [];
    if (first !== known.length) throw invalidFrame('a dictionary does not go on where it ended');
    for (const text of texts) {
      if (typeof text !== 'string') throw invalidFrame('a dictionary has something that is no text');
      if (text.length > DICTIONARY_TEXT_LENGTH_MAX) throw invalidFrame('a dictionary has a text above its bound');
    }
    for (const text of texts) known.push(internalized(text as string));
    if (known !== this.texts) this.release();
    this.texts = known;
    this.generation = generation;
  }
}

/**
 * The same text as V8 keeps names: compared by address, and hashed once. It is handed out thousands of times, so that
 * is worth it.
 */
function internalized(text: string): string {
  return Object.keys({ [text]: 0 })[0]!;
}
