// A store whose answers get lost, or that does not answer, as the test says. Everything else goes to a real one.

import { failure } from '../../../engine/errors.js';
import type { CallOptions, Session, Store } from '../../../coordination/store/contract.js';

type Method = 'create' | 'get' | 'set' | 'delete' | 'children' | 'multi' | 'exists' | 'sync';

/** What happens to the next calls: `lose` carries the call out and loses the answer, `refuse` does neither. */
export interface Fault {
  readonly method: Method;
  readonly how: 'lose' | 'refuse';
  /** Part of the path, or of one of the paths. */
  readonly about?: string;
  times: number;
}

export class FaultyStore implements Store {
  readonly faults: Fault[] = [];
  /** What sessions say about themselves. */
  timeoutMs: number | null = null;
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  async connect(options?: CallOptions): Promise<Session> {
    const session = await this.store.connect(options);
    return new Proxy(session, {
      get: (target, key) => {
        if (key === 'timeoutMs') return this.timeoutMs;
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]) => this.call(String(key), args, value.bind(target) as Call);
      },
    });
  }

  private call(method: string, args: readonly unknown[], carryOut: Call): unknown {
    const fault = this.faults.find(
      (each) => each.times > 0 && each.method === method && JSON.stringify(args[0]).includes(each.about ?? ''),
    );
    if (fault === undefined) return carryOut(...args);
    fault.times--;
    const details = { what: method, reason: 'the test says so' };
    if (fault.how === 'refuse') return Promise.reject(failure('MILLRACE_STORE_UNAVAILABLE', details));
    return Promise.resolve(carryOut(...args)).then(() => {
      throw failure('MILLRACE_STORE_UNCERTAIN', details);
    });
  }
}

type Call = (...args: readonly unknown[]) => unknown;
