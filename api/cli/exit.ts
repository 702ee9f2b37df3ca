// The exit codes of the command and which error means which. Pure.
//
//   0 ok (also: who read standard output has left)   1 failed   2 usage   3 not found   4 unreachable
//   128 + number of the signal: 130 interrupted (Ctrl-C), 143 terminated, 129 hung up

import type { WireError } from '../../engine/errors.js';

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_NOT_FOUND = 3;
export const EXIT_UNREACHABLE = 4;

/** The signals that end a run, with their exit codes. */
export const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export type EndSignal = keyof typeof SIGNAL_EXITS;

const BY_CODE: Readonly<Record<string, number>> = {
  MILLRACE_CLI_USAGE: EXIT_USAGE,
  MILLRACE_RUN_FILE_KIND: EXIT_USAGE,
  MILLRACE_RUN_FILE_MISSING: EXIT_NOT_FOUND,
  MILLRACE_PROCESSES_MISSING: EXIT_NOT_FOUND,
  MILLRACE_PROCESSES_INVALID: EXIT_USAGE,
  MILLRACE_PROCESSES_NAME: EXIT_USAGE,
  MILLRACE_MEMBER_UNKNOWN: EXIT_USAGE,
  MILLRACE_API_LISTEN_ADDRESS: EXIT_USAGE,
  MILLRACE_HOST_OPTION: EXIT_USAGE,
  MILLRACE_HOST_FILES: EXIT_NOT_FOUND,
  MILLRACE_CLIENT_ADDRESS: EXIT_USAGE,
  MILLRACE_REQUEST_INVALID: EXIT_USAGE,
  MILLRACE_REQUEST_VALUE: EXIT_USAGE,
  MILLRACE_TOPOLOGY_UNKNOWN: EXIT_NOT_FOUND,
  MILLRACE_REPLACE_UNKNOWN: EXIT_NOT_FOUND,
  MILLRACE_HOST_UNKNOWN: EXIT_NOT_FOUND,
  MILLRACE_CLIENT_UNREACHABLE: EXIT_UNREACHABLE,
  MILLRACE_CLIENT_TIMEOUT: EXIT_UNREACHABLE,
  MILLRACE_CLIENT_REPLY: EXIT_UNREACHABLE,
  MILLRACE_CLUSTER_UNKNOWN: EXIT_NOT_FOUND,
  MILLRACE_ENSEMBLE_OPTION: EXIT_USAGE,
  MILLRACE_ENSEMBLE_UNKNOWN: EXIT_NOT_FOUND,
  MILLRACE_ENSEMBLE_SERVER: EXIT_NOT_FOUND,
  MILLRACE_ZK_DATA: EXIT_NOT_FOUND,
  MILLRACE_STORE_PATH: EXIT_USAGE,
  MILLRACE_ZOOKEEPER_CONNECT_STRING: EXIT_USAGE,
  MILLRACE_STORE_CREDENTIALS: EXIT_USAGE,
  MILLRACE_STORE_NO_NODE: EXIT_NOT_FOUND,
  MILLRACE_STORE_UNAVAILABLE: EXIT_UNREACHABLE,
};

/** The exit code for an error that kept a topology from starting. */
export function exitCodeOf({ code, problems }: Pick<WireError, 'code' | 'problems'>): number {
  const isSettings = problems.length > 0 && problems.every(({ path }) => /^settings[.[]/.test(path));
  return isSettings ? EXIT_USAGE : (BY_CODE[code ?? ''] ?? EXIT_FAILED);
}
