// The file in the data directory that describes an ensemble, so that another process finds it: its configuration, its
// ports and the ids of its processes. It may be stale in every way: what it says of processes is checked against the
// mark that they carry (server-process.ts). Written whole and renamed; only its owner may read it, because passwords of
// key stores are in it. Main thread.

import { renameSync, writeFileSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, reasonOf } from '../../engine/errors.js';
import { ENSEMBLE_STATE_BYTES_MAX } from '../../engine/limits.js';
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

/** Writes it. */
export function writeState(directory: string, state: EnsembleState): void {
  const file = join(directory, STATE_FILE);
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, `${JSON.stringify({ format: FORMAT, ...state }, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}

/**
 * Reads it; null when there is none, nor anything else in the directory.
 *
 * @throws MILLRACE_ENSEMBLE_DIRECTORY when something else is there
 */
export async function readState(directory: string): Promise<EnsembleState | null> {
  const text = await readText(directory);
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unusable(directory, `its ${STATE_FILE} is no JSON: ${reasonOf(error)}`);
  }
  const wrong = whatIsWrong(value);
  if (wrong !== null) throw unusable(directory, `its ${STATE_FILE} was not written by this version: ${wrong}`);
  return value as EnsembleState;
}

/** The error of a directory that cannot be used. */
export function unusable(directory: string, reason: string): Error {
  return failure('MILLRACE_ENSEMBLE_DIRECTORY', { directory, reason });
}

async function readText(directory: string): Promise<string | null> {
  const file = join(directory, STATE_FILE);
  try {
    const { size } = await stat(file);
    if (size > ENSEMBLE_STATE_BYTES_MAX) throw unusable(directory, `its ${STATE_FILE} has ${size} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw unusable(directory, 'it is no directory');
    if (code !== 'ENOENT') throw code?.startsWith('E') === true ? unusable(directory, reasonOf(error)) : error;
  }
  const [other] = (await namesIn(directory)).filter((name) => !/^(lock|claim)-\d/.test(name));
  if (other !== undefined) throw unusable(directory, `there is no ${STATE_FILE} in it, but "${other}"`);
  return null;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unusable(directory, reasonOf(error));
  }
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
