// What the tests of the recipes share: a store in memory on virtual time, sessions whose calls fail or end at the step
// that the test names, sessions whose calls take their time, and a look at everything that is left in the store.

import { VirtualClock } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import type { Random } from '../../../engine/random.js';
import type { Session } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { childOf } from '../../../coordination/store/node-path.js';
import { hasCode } from '../../../coordination/store/store-errors.js';
import { settle } from '../cluster.js';

/** What happens at a step: the answer is lost, the call is refused, or the session ends before or after it. */
export const FAULTS = ['lose', 'refuse', 'expire', 'expire after'] as const;
export type FaultKind = (typeof FAULTS)[number];

const METHODS = new Set(['create', 'get', 'set', 'delete', 'children', 'multi', 'exists', 'sync']);
const VIRTUAL_MAX_MS = 600_000;

type Call = (...args: readonly unknown[]) => Promise<unknown>;

/** What all recipes of a scene take. */
export interface Base {
  readonly session: Session;
  readonly clock: VirtualClock;
  readonly newId: () => string;
}

export class Scene {
  readonly clock = new VirtualClock();
  readonly store: EmbeddedStore;
  readonly logged: string[] = [];
  readonly logger = {
    debug: (line: string): void => void this.logged.push(line),
    info: (line: string): void => void this.logged.push(line),
    warn: (line: string): void => void this.logged.push(line),
    error: (line: string): void => void this.logged.push(line),
  };
  private next = 1;

  private constructor(store: EmbeddedStore) {
    this.store = store;
  }

  static async open(): Promise<Scene> {
    return new Scene(await EmbeddedStore.open({ directory: null }));
  }

  readonly newId = (): string => `i${this.next++}`;

  /** A session and what goes with it. */
  async base(wrap: (session: Session) => Session = (session) => session): Promise<Base> {
    return { session: wrap(await this.store.connect()), clock: this.clock, newId: this.newId };
  }

  /** Moves time on, and lets what is due happen. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    await settle();
    while (this.clock.step(untilMs)) await settle();
  }

  /** Moves time on until the promise is settled. */
  async finish<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const mark = (): void => void (done = true);
    promise.then(mark, mark);
    const lastMs = this.clock.now() + VIRTUAL_MAX_MS;
    await settle();
    while (!done) {
      const dueMs = this.clock.nextDueMs();
      if (dueMs === undefined || dueMs > lastMs) throw new Error('nothing more happens, and it is not done');
      this.clock.step(dueMs);
      await settle();
    }
    return await promise;
  }

  /** The paths of all nodes, but for the root. */
  async everything(): Promise<readonly string[]> {
    const session = await this.store.connect();
    const below = async (path: string): Promise<string[]> => {
      const names = await session.children(path);
      const paths = names.map((name) => childOf(path, name));
      return [...paths, ...(await Promise.all(paths.map(below))).flat()];
    };
    const all = await below('/');
    await session.close();
    return all;
  }
}

/** A session whose calls are counted, and one or more of which have a fault. */
export class Stepped {
  readonly session: Session;
  calls = 0;
  readonly names: string[] = [];

  constructor(
    scene: Scene,
    real: Session,
    fault: { readonly kind: FaultKind; readonly at: number; readonly times?: number } | null,
    called: (step: number) => void = () => undefined,
  ) {
    const { times = 1 } = fault ?? {};
    this.session = wrapped(real, async (name, args, carryOut) => {
      const step = this.calls++;
      this.names.push(`${name} ${JSON.stringify(args[0])}`);
      called(step);
      if (fault === null || step < fault.at || step >= fault.at + times) return await carryOut(...args);
      const details = { what: name, reason: 'the test says so' };
      if (fault.kind === 'refuse') throw failure('MILLRACE_STORE_UNAVAILABLE', details);
      if (fault.kind === 'expire') await scene.store.expire(real.id);
      const answer = await carryOut(...args);
      if (fault.kind === 'expire after') await scene.store.expire(real.id);
      if (fault.kind === 'lose') throw failure('MILLRACE_STORE_UNCERTAIN', details);
      return answer;
    });
  }
}

/** The same session, with its calls going through the function, and another timeout if one is given. */
export function wrapped(
  real: Session,
  through: (name: string, args: readonly unknown[], carryOut: Call) => Promise<unknown>,
  timeoutMs: number | null = null,
): Session {
  return new Proxy(real, {
    get: (target, key) => {
      if (key === 'timeoutMs') return timeoutMs;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      const carryOut = value.bind(target) as Call;
      if (!METHODS.has(String(key))) return carryOut;
      return (...args: readonly unknown[]) => through(String(key), args, carryOut);
    },
  });
}

/** A session whose writes and syncs fail as the test says; `lose` of an answer is after the call was carried out. */
export class Troubled {
  readonly session: Session;
  /** What happens to transactions: carried out, carried out without an answer, or neither. */
  multi: 'works' | 'loses the answer' | 'gets lost' = 'works';
  /** Nothing can be found out. */
  blind = false;

  constructor(real: Session, timeoutMs: number | null = null) {
    const details = { what: 'multi', reason: 'the test says so' };
    const through = async (name: string, args: readonly unknown[], carryOut: Call): Promise<unknown> => {
      if (name === 'sync' && this.blind) throw failure('MILLRACE_STORE_UNAVAILABLE', details);
      if (name !== 'multi' || this.multi === 'works') return await carryOut(...args);
      if (this.multi === 'loses the answer') await carryOut(...args);
      throw failure('MILLRACE_STORE_UNCERTAIN', details);
    };
    this.session = wrapped(real, through, timeoutMs);
  }
}

/**
 * A session over a slow line: calls take up to that long, in order, and some answers get lost or calls are refused.
 */
export function slow(scene: Scene, real: Session, random: Random, latencyMaxMs: number, faulty: number): Session {
  let before: Promise<unknown> = Promise.resolve();
  return wrapped(real, async (name, args, carryOut) => {
    const wait = async (): Promise<void> => {
      const ms = random.nextFloat() * latencyMaxMs;
      await new Promise<void>((resolve) => scene.clock.after(ms, resolve));
    };
    const fate = random.nextFloat();
    const details = { what: name, reason: 'the test says so' };
    const carried = before.then(wait).then(async () => {
      if (fate < faulty / 2) throw failure('MILLRACE_STORE_UNAVAILABLE', details);
      return await carryOut(...args);
    });
    before = carried.catch(() => undefined);
    const answer = await carried;
    await wait();
    if (fate > 1 - faulty / 2) throw failure('MILLRACE_STORE_UNCERTAIN', details);
    return answer;
  });
}

/**
 * Runs the same once for each call that it makes and each kind of fault at that call, after once without.
 *
 * @param play - resolves with whether it came to its end, rejects when it did something else than it may
 * @returns how many times it ran
 */
export async function atEachStep(
  play: (scene: Scene, base: Base, fault: FaultKind | null) => Promise<void>,
  kinds: readonly FaultKind[] = FAULTS,
): Promise<number> {
  const run = async (
    fault: { readonly kind: FaultKind; readonly at: number; readonly times: number } | null,
  ): Promise<number> => {
    const scene = await Scene.open();
    const stepped = new Stepped(scene, await scene.store.connect(), fault);
    const base: Base = { session: stepped.session, clock: scene.clock, newId: scene.newId };
    try {
      await play(scene, base, fault?.kind ?? null);
    } catch (error) {
      const at =
        fault === null ? 'without a fault' : `${fault.kind} ×${fault.times} at ${fault.at}: ${stepped.names[fault.at]}`;
      throw new Error(`${at}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    await scene.store.close();
    return stepped.calls;
  };
  const calls = await run(null);
  let runs = 1;
  for (const kind of kinds) {
    for (const times of kind === 'lose' || kind === 'refuse' ? [1, 2] : [1]) {
      for (let at = 0; at < calls; at++, runs++) await run({ kind, at, times });
    }
  }
  return runs;
}

/** Does it, and says whether the session ended before it was done; other errors are thrown. */
export async function unlessExpired(fault: FaultKind | null, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    const ended = hasCode(error, 'MILLRACE_STORE_SESSION_LOST', 'MILLRACE_LOCK_LOST');
    if (ended && (fault === 'expire' || fault === 'expire after')) return false;
    throw error;
  }
}

/** Throws when it is not so: for properties and plays, which end at the first fault. */
export function must(so: boolean, what: string): asserts so {
  if (!so) throw new Error(what);
}
