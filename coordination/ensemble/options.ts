// What one may ask of an ensemble, with its defaults, and what of that cannot be: alone, and beside the ensemble that a
// directory holds already. Pure.

import { failure } from '../../engine/errors.js';
import type { Clock } from '../../engine/clock.js';
import type { EnsembleConfiguration, EnsembleRoute, EnsembleServer, EnsembleTls } from './configuration.js';
import { firstPortMax } from './ports.js';

/** How an ensemble is started. What is left out stays as it was, where the directory holds an ensemble already. */
export interface EnsembleOptions {
  /** Where everything of it is kept; made when it is not there. */
  readonly directory: string;
  /** Its size: 1, 3 or 5. Default 3. */
  readonly servers?: number;
  /**
   * Where clients find the first server; the others follow, and 100 to 300 above them what servers need. Default: free
   * ones.
   */
  readonly port?: number;
  /** The unit of ZooKeeper's times. Default 500. */
  readonly tickMs?: number;
  /** How long a server may take to join its leader. Default 10000. */
  readonly initMs?: number;
  /** A server that its leader does not hear of for so long is left out. Default 2000. */
  readonly syncMs?: number;
  /** Shortest timeout of a session. Default: two ticks. */
  readonly sessionMinMs?: number;
  /** Longest timeout of a session. Default 60000. */
  readonly sessionMaxMs?: number;
  /** Heap of each server. Default 128. */
  readonly heapMegabytes?: number;
  /** Whether a write is on disk before it is acknowledged. Default true. */
  readonly durable?: boolean;
  /** A port for TLS beside the other one, of a new ensemble. Default: none. */
  readonly tls?: EnsembleTls;
  /**
   * Where a server looks for another one (`1>2`), when that is not where it is: something in between may pass it on.
   */
  readonly routes?: Readonly<Record<string, EnsembleRoute>>;
  /** Further lines of zoo.cfg; they win over all others. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Servers that have not started by then are stopped again. Default `ENSEMBLE_START_MAX_MS`. */
  readonly timeoutMs?: number;
  /** Aborted, servers that have not started yet are stopped again. */
  readonly signal?: AbortSignal;
  /** Where ZOOKEEPER_HOME, JAVA_HOME and PATH are looked for. Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Sizes that survive the loss of servers: an even number survives no more than the odd one below it. */
export const ENSEMBLE_SIZES = [1, 3, 5] as const;

const TICK_MS = 500;
const INIT_MS = 10_000;
const SYNC_MS = 2_000;
const SESSION_MAX_MS = 60_000;
const HEAP_MEGABYTES = 128;

/** Bounds of the numbers: what Java and ZooKeeper take and a laptop bears. */
const BOUNDS = {
  tickMs: [20, 60_000],
  initMs: [20, 600_000],
  syncMs: [20, 600_000],
  sessionMinMs: [20, 3_600_000],
  sessionMaxMs: [20, 3_600_000],
  heapMegabytes: [32, 65_536],
} as const;

/**
 * Checks the options, alone and beside what the directory holds.
 *
 * @throws MILLRACE_ENSEMBLE_OPTION
 */
export function checkOptions(options: EnsembleOptions, kept: readonly EnsembleServer[] | null): void {
  const { servers, port, tls } = options;
  if (servers !== undefined && !ENSEMBLE_SIZES.some((size) => size === servers)) {
    throw refused('servers', `${servers} is no size that an ensemble can have`, 'take 1, 3 or 5 servers');
  }
  const portMax = firstPortMax(servers ?? kept?.length ?? 3);
  if (port !== undefined) requireBetween('port', port, 1, portMax);
  for (const [name, [min, max]] of Object.entries(BOUNDS)) {
    const value = options[name as keyof typeof BOUNDS];
    if (value !== undefined) requireBetween(name, value, min, max);
  }
  for (const key of Object.keys(options.settings ?? {})) {
    if (/^[\w.]+$/.test(key)) continue;
    throw refused('settings', `"${key}" is no name of a setting`, 'write it as in zoo.cfg: letters, digits and dots');
  }
  if (kept === null) return;
  const other = 'leave the option out, or name another directory';
  if (servers !== undefined && servers !== kept.length) {
    throw refused('servers', `it is ${servers}, but the directory holds an ensemble of ${kept.length}`, other);
  }
  const first = kept[0]!;
  if (port !== undefined && port !== first.clientPort) {
    throw refused('port', `it is ${port}, but the ensemble in the directory is at ${first.clientPort}`, other);
  }
  if (tls !== undefined && first.securePort === null) {
    throw refused('tls', 'the ensemble in the directory has no ports for it', other);
  }
}

/** What was asked for, else what was before, else the defaults. */
export function configurationOf(options: EnsembleOptions, kept: EnsembleConfiguration | null): EnsembleConfiguration {
  const tickMs = options.tickMs ?? kept?.tickMs ?? TICK_MS;
  return {
    tickMs,
    initMs: options.initMs ?? kept?.initMs ?? INIT_MS,
    syncMs: options.syncMs ?? kept?.syncMs ?? SYNC_MS,
    sessionMinMs: options.sessionMinMs ?? kept?.sessionMinMs ?? 2 * tickMs,
    sessionMaxMs: options.sessionMaxMs ?? kept?.sessionMaxMs ?? SESSION_MAX_MS,
    heapMegabytes: options.heapMegabytes ?? kept?.heapMegabytes ?? HEAP_MEGABYTES,
    durable: options.durable ?? kept?.durable ?? true,
    tls: options.tls ?? kept?.tls ?? null,
    routes: options.routes ?? kept?.routes ?? {},
    settings: options.settings ?? kept?.settings ?? {},
  };
}

function requireBetween(option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw refused(option, `${value} is not between ${min} and ${max}`, `give a whole number from ${min} to ${max}`);
}

function refused(option: string, reason: string, advice: string): Error {
  return failure('MILLRACE_ENSEMBLE_OPTION', { option, reason, advice });
}
