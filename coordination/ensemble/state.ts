// The file in the data directory that describes an ensemble, so that another process finds it: its configuration, its
// ports and the ids of its processes. It may be stale in every way: what it says of processes is checked against the
// mark that they carry (server-process.ts). Written whole and renamed; only its owner may read it, because passwords of
// key stores are in it. Main thread.

import { failure } from '../../engine/errors.js';
import { ENSEMBLE_STATE_BYTES_MAX } from '../../engine/limits.js';
import { StateFile } from '../state-file.js';
import type { EnsembleConfiguration, EnsembleServer, EnsembleTls } from './configuration.js';

const STATE_FILE = 'ensemble.json';
const FORMAT = 1;

/** What the file holds. */
export interface EnsembleState {
  /** Unlike that of any other ensemble: the mark of its processes. */
  readonly id: string;
  readonly configuration: EnsembleConfiguration;
  readonly servers: readonly EnsembleServer[];
  /** The processes that were started last, by the id of the server. */
  readonly pids: Readonly<Record<string, number>>;
}

/** The error of a directory that cannot be used. */
export function unusable(directory: string, reason: string): Error {
  return failure('MILLRACE_ENSEMBLE_DIRECTORY', { directory, reason });
}

const file = new StateFile({
  name: STATE_FILE,
  bytesMax: ENSEMBLE_STATE_BYTES_MAX,
  otherNames: /^(lock|claim)-\d/,
  unusable,
});

/** Writes it. */
export function writeState(directory: string, state: EnsembleState): void {
  file.write(directory, { format: FORMAT, ...state });
}

/**
 * Reads it; null when there is none, nor anything else in the directory.
 *
 * @throws MILLRACE_ENSEMBLE_DIRECTORY when something else is there
 */
export async function readState(directory: string): Promise<EnsembleState | null> {
  const value = await file.read(directory);
  if (value === null) return null;
  const wrong = whatIsWrong(value);
  if (wrong !== null) throw unusable(directory, `its ${STATE_FILE} was not written by this version: ${wrong}`);
  return value as EnsembleState;
}

type Rule = (value: unknown) => boolean;

const isText: Rule = (value) => typeof value === 'string';
const isWhole: Rule = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isPort: Rule = (value) => isWhole(value) && (value as number) > 0 && (value as number) < 65_536;
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const orAbsent =
  (rule: Rule): Rule =>
  (value) =>
    value === undefined || rule(value);
const shaped =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value) =>
    isObject(value) && Object.entries(rules).every(([key, rule]) => rule(value[key]));
const eachOf =
  (rule: Rule): Rule =>
  (value) =>
    isObject(value) && Object.values(value).every(rule);

const tlsRules: Readonly<Record<keyof EnsembleTls, Rule>> = {
  keyStore: isText,
  keyStorePassword: isText,
  trustStore: orAbsent(isText),
  trustStorePassword: orAbsent(isText),
};

const configurationRules: Readonly<Record<keyof EnsembleConfiguration, Rule>> = {
  tickMs: isWhole,
  initMs: isWhole,
  syncMs: isWhole,
  sessionMinMs: isWhole,
  sessionMaxMs: isWhole,
  heapMegabytes: isWhole,
  durable: (value) => typeof value === 'boolean',
  tls: (value) => value === null || shaped(tlsRules)(value),
  routes: eachOf(shaped({ quorumPort: isPort, electionPort: isPort })),
  settings: eachOf(isText),
};

const serverRules: Readonly<Record<keyof EnsembleServer, Rule>> = {
  id: isWhole,
  clientPort: isPort,
  quorumPort: isPort,
  electionPort: isPort,
  securePort: (value) => value === null || isPort(value),
};

const stateRules: Readonly<Record<keyof EnsembleState | 'format', Rule>> = {
  format: (value) => value === FORMAT,
  id: isText,
  configuration: shaped(configurationRules),
  servers: (value) =>
    Array.isArray(value) &&
    [1, 3, 5].includes(value.length) &&
    value.every((server: unknown, index) => shaped(serverRules)(server) && (server as EnsembleServer).id === index + 1),
  pids: eachOf(isWhole),
};

/** Which part of it is not as it was written, or null. */
function whatIsWrong(value: unknown): string | null {
  if (!isObject(value)) return 'it is no object';
  const wrong = Object.entries(stateRules).find(([key, rule]) => !rule(value[key]));
  return wrong === undefined ? null : `"${wrong[0]}" is wrong or missing`;
}
