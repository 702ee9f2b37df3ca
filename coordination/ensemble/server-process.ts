// The Java process of one server. It is started apart from ours, so that it lives on when the command that started it
// has ended, and it is known by a mark among its arguments: a process id alone may be somebody else's by now.
//
// Invariant: no process gets a signal whose arguments do not have the mark. Main thread.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDetached, type DetachedProcess } from '../detached-process.js';
import type { EnsembleConfiguration } from './configuration.js';
import type { Installation } from './installation.js';

const MAIN_CLASS = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';

/** The file in the directory of a server that it writes to. */
export const LOG_FILE = 'server.log';

/** Which server a process is. */
export interface ServerMark {
  /** The id of its ensemble. */
  readonly ensemble: string;
  readonly server: number;
}

function argumentOf({ ensemble, server }: ServerMark): string {
  return `-Dmillrace.server=${ensemble}/${server}`;
}

/** Starts the server of that directory; @throws what the system says when no process can be made. */
export function startServer(
  directory: string,
  mark: ServerMark,
  { java, classPath }: Installation,
  { heapMegabytes, durable }: EnsembleConfiguration,
): DetachedProcess {
  // One small heap and the quick compiler: a server then takes 60 MB and is up in some tenths of a second.
  const args = [
    `-Xmx${heapMegabytes}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    argumentOf(mark),
    '-Dzookeeper.jmx.log4j.disable=true',
    '-Dzookeeper.preAllocSize=1024',
    `-Dzookeeper.forceSync=${durable ? 'yes' : 'no'}`,
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=info',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
    '-cp',
    classPath,
    MAIN_CLASS,
    './zoo.cfg',
  ];
  return startDetached(java, args, join(directory, LOG_FILE), directory);
}

/** Whether that server is a living process of that id, and whether it is stopped. */
export function lookAtServer(pid: number, mark: ServerMark): 'running' | 'paused' | 'gone' {
  if (pid <= 0) return 'gone';
  try {
    return process.platform === 'linux' ? lookInProc(pid, mark) : lookByPs(pid, mark);
  } catch {
    return 'gone';
  }
}

/** Sends the signal if the process is that server; whether it was. */
export function signalServer(pid: number, mark: ServerMark, signal: NodeJS.Signals): boolean {
  if (lookAtServer(pid, mark) === 'gone') return false;
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function lookInProc(pid: number, mark: ServerMark): 'running' | 'paused' | 'gone' {
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  if (!args.includes(argumentOf(mark)) || !args.includes(MAIN_CLASS)) return 'gone';
  if (!isStopped(`/proc/${pid}/stat`)) return 'running';
  // Its threads stop one after the other.
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((thread) => isStopped(`/proc/${pid}/task/${thread}/stat`)) ? 'paused' : 'running';
}

function isStopped(file: string): boolean {
  const stat = readFileSync(file, 'utf8');
  // The name in front of the state stands in parentheses and may hold anything.
  const at = stat.lastIndexOf(')') + 2;
  return stat.slice(at, at + 1) === 'T';
}

function lookByPs(pid: number, mark: ServerMark): 'running' | 'paused' | 'gone' {
  const line = execFileSync('ps', ['-ww', '-o', 'state=,args=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const [state = '', ...args] = line.split(/\s+/);
  if (!args.includes(argumentOf(mark)) || !args.includes(MAIN_CLASS)) return 'gone';
  return state.startsWith('T') ? 'paused' : 'running';
}
