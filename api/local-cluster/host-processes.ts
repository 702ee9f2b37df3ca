// The processes of one host of a cluster on this machine: the small parent that `millrace host` is, and its host
// process. They are started apart from ours, in a group of their own, so that they live on when the command that
// started them has ended. They are known by their group and by the data directory among their arguments: a process id
// alone may be somebody else's by now.
//
// Invariant: no process gets a signal that is not in that group or whose arguments do not name that directory. Main
// thread.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HOST_LOG_VARIABLE } from '../cli/host-log.js';
import { startDetached, type DetachedProcess } from '../../coordination/detached-process.js';

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** What a host is started with. */
export interface HostStart {
  readonly name: string;
  readonly port: number;
  /** Absolute; the mark of its processes. */
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly connectString: string;
  /** Null: the default of `millrace host`. */
  readonly slots: number | null;
  /** Absolute; null: none. */
  readonly filesDirectory: string | null;
}

/** Which processes those are. */
export interface HostMark {
  /** Of the parent, and of the group. */
  readonly pid: number;
  readonly dataDirectory: string;
}

interface Found {
  readonly pid: number;
  readonly group: number;
  readonly args: string;
}

/** Starts the parent; @throws what the system says when no process can be made. */
export function startHost(start: HostStart): DetachedProcess {
  const { logFile } = start;
  const args = [MAIN, 'host', ...argumentsOf(start)];
  return startDetached(process.execPath, args, logFile, undefined, { [HOST_LOG_VARIABLE]: logFile });
}

/** Those of its processes that live, the parent first; stopped ones too. */
export function processesOf({ pid, dataDirectory }: HostMark): readonly number[] {
  if (pid <= 0) return [];
  // The arguments of a host process are JSON.
  const marks = [dataDirectory, JSON.stringify(dataDirectory).slice(1, -1)];
  const all = process.platform === 'linux' ? inProc(pid) : byPs();
  return all
    .filter(({ group, args }) => group === pid && marks.some((mark) => args.includes(mark)))
    .map((found) => found.pid)
    .sort((a, b) => Number(b === pid) - Number(a === pid));
}

/** Asks the host to end; a stopped process hears of it when it goes on. */
export function endHost(mark: HostMark): void {
  const [parent] = processesOf(mark);
  // A host process whose parent is gone ends by itself.
  if (parent === mark.pid) send(parent, 'SIGTERM');
  for (const pid of processesOf(mark)) send(pid, 'SIGCONT');
}

/** Kills all of its processes. */
export function killHost(mark: HostMark): void {
  for (const pid of processesOf(mark)) send(pid, 'SIGKILL');
}

function argumentsOf({ name, port, dataDirectory, connectString, slots, filesDirectory }: HostStart): string[] {
  return [
    ...['--name', name, '--listen', `127.0.0.1:${port}`, '--data', dataDirectory, '--zookeeper', connectString],
    ...(slots === null ? [] : ['--slots', String(slots)]),
    ...(filesDirectory === null ? [] : ['--files', filesDirectory]),
  ];
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function inProc(group: number): Found[] {
  return readdirSync('/proc').flatMap((name): Found[] => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name in front of the state stands in parentheses and may hold anything: state, parent, group follow.
      const [state, , own] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(own) !== group || state === 'Z' || state === 'X') return [];
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return [{ pid: Number(name), group, args }];
    } catch {
      // It has just ended.
      return [];
    }
  });
}

function byPs(): Found[] {
  const text = execFileSync('ps', ['-ww', '-A', '-o', 'pid=,pgid=,state=,args='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line): Found[] => {
    const { pid, group, state, args } =
      /^\s*(?<pid>\d+)\s+(?<group>\d+)\s+(?<state>\S+)\s+(?<args>.*)$/.exec(line)?.groups ?? {};
    if (args === undefined || state?.startsWith('Z') === true) return [];
    return [{ pid: Number(pid), group: Number(group), args }];
  });
}
