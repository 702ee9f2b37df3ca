// What the suite of the contract is written with: a store under test, and what gathers the states that a watch tells.
// Nothing in here waits for a time.

import type { Test } from 'tap';
import type { Session, Store } from '../../../coordination/store/contract.js';

/** A store under test, which every session may use as it likes. */
export interface Opened {
  readonly store: Store;
  /** Ends that session from outside, as the store does with a silent one. */
  expire(session: Session): Promise<void>;
  close(): Promise<void>;
}

export const text = (value: string): Uint8Array => Buffer.from(value, 'utf8');
export const textOf = (data: Uint8Array): string => Buffer.from(data).toString('utf8');

/** Gathers what a watch says, and waits for a state. */
export class Seen<T> {
  readonly states: T[] = [];
  private readonly waiting = new Set<() => void>();
  readonly listener = (state: T): void => {
    this.states.push(state);
    for (const each of [...this.waiting]) each();
  };

  async until(wanted: (last: T) => boolean): Promise<void> {
    for (;;) {
      if (this.states.length > 0 && wanted(this.states.at(-1)!)) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.waiting.delete(wake);
          resolve();
        };
        this.waiting.add(wake);
      });
    }
  }
}

type Body = (t: Test, a: Session, b: Session, opened: Opened) => Promise<void>;

/** Tests that have a store of their own each, and two sessions with it. */
export function twoSessions(
  t: Test,
  name: string,
  open: (t: Test) => Promise<Opened>,
): (title: string, body: Body) => void {
  return (title, body) =>
    void t.test(`${name}: ${title}`, async (t) => {
      const opened = await open(t);
      try {
        const [a, b] = await Promise.all([opened.store.connect(), opened.store.connect()]);
        await body(t, a, b, opened);
      } finally {
        await opened.close();
      }
    });
}
