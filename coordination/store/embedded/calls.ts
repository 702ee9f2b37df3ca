// One call of a session: its promise, its deadline and its signal. A call that is given up before its turn is never
// carried out; one that is given up later may have been, and says so. The host's main thread.

import type { Clock } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import { callTimeMs, withoutTime } from '../call-time.js';
import type { CallOptions } from '../contract.js';
import type { Commits, Task } from './commits.js';
import type { Applied } from './transaction.js';

/** What is to be done, and what comes of it. */
export interface Work<T> {
  readonly kind: Task['kind'];
  /** Names it in errors: `create "/one"`. */
  readonly what: string;
  readonly bytes: number;
  /** Carries it out; the value is what the call resolves with. */
  readonly run: (revision: number) => { readonly applied: Applied | null; readonly value: T };
}

/** Has it carried out in its turn. */
export function call<T>(commits: Commits, clock: Clock, work: Work<T>, options: CallOptions = {}): Promise<T> {
  const { signal } = options;
  const timeoutMs = callTimeMs(options);
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as unknown);
      return;
    }
    const refused = withoutTime(work.what, options);
    if (refused !== null) {
      reject(refused);
      return;
    }
    let state: 'queued' | 'carried out' | 'over' = 'queued';
    let value: { readonly value: T } | null = null;
    const end = (then: () => void): void => {
      if (state === 'over') return;
      state = 'over';
      timer?.cancel();
      signal?.removeEventListener('abort', abort);
      then();
    };
    const abort = (): void => end(() => reject(signal?.reason as unknown));
    const expire = (): void => {
      const details = { what: work.what, reason: `it took longer than ${timeoutMs} ms` };
      const code =
        state === 'carried out' && work.kind === 'write' ? 'MILLRACE_STORE_UNCERTAIN' : 'MILLRACE_STORE_UNAVAILABLE';
      end(() => reject(failure(code, details)));
    };
    const timer = work.kind === 'end of session' ? null : clock.after(timeoutMs, expire);
    signal?.addEventListener('abort', abort);
    commits.submit({
      kind: work.kind,
      always: work.kind === 'end of session',
      bytes: work.bytes,
      wanted: () => state !== 'over',
      run: (revision) => {
        if (state === 'queued') state = 'carried out';
        const { applied, value: found } = work.run(revision);
        value = { value: found };
        return applied;
      },
      settle: () => end(() => resolve(value!.value)),
      reject: (error) => end(() => reject(error)),
    });
  });
}
