// Watches the queues of all workers of this thread while a topology runs: mailboxes, outboxes and the credit of links
// are looked at after each change, so that no moment above a bound is missed. Nothing of the engine knows of it:
// methods of its classes are wrapped while the watch lasts.

import { Outbox } from '../../../engine/codec/outbox.js';
import { LinkCredit } from '../../../engine/link/credit.js';
import { Mailbox } from '../../../engine/task/mailbox.js';

/** The most that was seen at once, of any one of them. */
export interface Peaks {
  /** In one mailbox, from tasks of its own worker. */
  mailboxTuples: number;
  mailboxBytes: number;
  /** In one mailbox, from other workers. */
  receivedTuples: number;
  /** In one outbox. */
  outboxTuples: number;
  outboxBytes: number;
  /** Under way on one link, beyond the reserves of its channels. */
  sharedTuples: number;
  sharedBytes: number;
  /** Under way on one channel, the largest tuple taken off. */
  tupleBytes: number;
}

type Method = (this: never, ...rest: never[]) => unknown;

/** Begins to watch. `stop` gives the classes their methods back. */
export function watchQueues(): { readonly peaks: Peaks; readonly stop: () => void } {
  const peaks: Peaks = {
    mailboxTuples: 0,
    mailboxBytes: 0,
    receivedTuples: 0,
    outboxTuples: 0,
    outboxBytes: 0,
    sharedTuples: 0,
    sharedBytes: 0,
    tupleBytes: 0,
  };
  const max = (name: keyof Peaks, seen: number): void => void (peaks[name] = Math.max(peaks[name], seen));
  const restore = [
    after(Mailbox.prototype, 'push', (mailbox) => {
      const { localBytes } = mailbox as unknown as { readonly localBytes: number };
      max('mailboxTuples', mailbox.localTuples);
      max('mailboxBytes', localBytes);
    }),
    after(Mailbox.prototype, 'pushBatch', (mailbox) => max('receivedTuples', mailbox.size - mailbox.localTuples)),
    after(Outbox.prototype, 'push', (outbox) => {
      max('outboxTuples', outbox.waiting);
      max('tupleBytes', outbox.bytesAt(outbox.end - 1));
      let bytes = 0;
      for (let row = outbox.first; row < outbox.end; row++) bytes += outbox.bytesAt(row);
      max('outboxBytes', bytes);
    }),
    after(LinkCredit.prototype, 'spend', (credit) => {
      const { usedTuples, usedBytes } = credit as unknown as {
        readonly usedTuples: number;
        readonly usedBytes: number;
      };
      max('sharedTuples', usedTuples);
      max('sharedBytes', usedBytes);
    }),
  ];
  return { peaks, stop: () => restore.forEach((each) => each()) };
}

/** Has `look` called with the object after each call of that method. */
function after<T extends object>(prototype: T, name: keyof T & string, look: (self: T) => void): () => void {
  const original = prototype[name] as Method;
  const wrapped = function (this: T, ...rest: never[]): unknown {
    const result = original.apply(this as never, rest);
    look(this);
    return result;
  };
  Object.assign(prototype, { [name]: wrapped });
  return () => void Object.assign(prototype, { [name]: original });
}
