// Reads the values of the command's options, and says what is wrong with them: every mistake is a MILLRACE_CLI_USAGE
// that quotes the option as it was written. Whether a setting exists is not known here, but to the topology. Pure.

import { failure } from '../../engine/errors.js';
import { CLUSTER_HOSTS_MAX, SLOTS_MAX, WORKERS_MAX } from '../../engine/limits.js';
import { isName, shown } from '../../engine/model/names.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type { Settings } from '../../engine/model/settings.js';

/**
 * The value of `--workers`.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseWorkers(text: string): number {
  return countOf('--workers', text, WORKERS_MAX);
}

/**
 * The value of `--slots`.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseSlots(text: string): number {
  return countOf('--slots', text, SLOTS_MAX);
}

/**
 * One more `--label`, added to those before it.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseLabel(text: string, before: readonly string[] = []): readonly string[] {
  if (isName(text)) return [...before, text];
  throw failure('MILLRACE_CLI_USAGE', {
    reason: `--label is ${shown(text)}, which is no label`,
    advice: 'give a letter or digit, then letters, digits, ".", "_" and "-": --label gpu --label zone-a',
  });
}

/**
 * The value of `--hosts`.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseHosts(text: string): number {
  return countOf('--hosts', text, CLUSTER_HOSTS_MAX);
}

/**
 * The value of `--servers`; which sizes there are is for the ensemble to say.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseServers(text: string): number {
  return countOf('--servers', text, 5);
}

/**
 * The number of a server.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseServer(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw failure('MILLRACE_CLI_USAGE', {
    reason: `"${text}" is no number of a server`,
    advice: 'millrace zookeeper status shows the servers with their numbers',
  });
}

/**
 * The value of `--ports`: `7100-7199`.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parsePorts(text: string): readonly [first: number, last: number] {
  const [, first = 0, last = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []).map(Number);
  if (first >= 1 && first <= last && last <= 65_535) return [first, last];
  throw failure('MILLRACE_CLI_USAGE', {
    reason: `--ports is "${text}", which is no range of ports`,
    advice: 'give the first and the last one, such as 7100-7199',
  });
}

/**
 * The value of `--port`.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw failure('MILLRACE_CLI_USAGE', {
    reason: `--port is "${text}", which is no port`,
    advice: 'give a whole number from 1 to 65535',
  });
}

function countOf(option: string, text: string, max: number): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= max) return count;
  throw failure('MILLRACE_CLI_USAGE', {
    reason: `${option} is "${text}", which is not a number of ${option.slice(2)}`,
    advice: `give a whole number from 1 to ${max}`,
  });
}

/**
 * One more `--parallelism component=count`, added to those before it.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseParallelism(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const equals = text.lastIndexOf('=');
  const count = Number(text.slice(equals + 1));
  if (equals < 1 || !/^\d+$/.test(text.slice(equals + 1)) || !Number.isSafeInteger(count)) {
    throw failure('MILLRACE_CLI_USAGE', {
      reason: `--parallelism is "${text}", which is not component=count`,
      advice: 'name a component and how many tasks it is to have: --parallelism count=4',
    });
  }
  return Object.fromEntries([...Object.entries(before), [text.slice(0, equals), count]]);
}

/**
 * One more `--set key=value`, added to those before it. A value that is JSON (a number, true, false, null, "…", […],
 * {…}) is that; any other text is a string. The last one wins where a key is set twice.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseSetting(text: string, before: Settings = {}): Settings {
  const equals = text.indexOf('=');
  const key = text.slice(0, Math.max(0, equals)).trim();
  if (equals === -1 || key === '' || key.startsWith('.') || key.endsWith('.')) {
    throw failure('MILLRACE_CLI_USAGE', {
      reason: `--set is "${text}", which is not key=value`,
      advice: 'give a setting of the topology or of a component: --set messageTimeout=10s, --set lines.path=other.txt',
    });
  }
  return Object.fromEntries([...Object.entries(before), [key, parseValue(text.slice(equals + 1))]]);
}

/**
 * One more `key=value` of `millrace parameters set`, added to those before it, with values as those of `--set`.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseParameter(text: string, before: ParameterValues = {}): ParameterValues {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw failure('MILLRACE_CLI_USAGE', {
      reason: `"${text}" is not key=value`,
      advice: 'millrace parameters set threshold=10 region=eu',
    });
  }
  return Object.fromEntries([...Object.entries(before), [text.slice(0, equals), parseValue(text.slice(equals + 1))]]);
}

function parseValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // A long row of digits is an identifier; as a number it would lose some of them.
    return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
  } catch {
    return text;
  }
}
