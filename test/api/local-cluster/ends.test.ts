// What does not come up in time, or does not end: real processes, and a clock that jumps to the end of the wait.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { processesOf } from '../../../api/local-cluster/host-processes.js';
import { endHosts, markOf } from '../../../api/local-cluster/local-cluster.js';
import { startCluster } from '../../../api/local-cluster/start.js';
import { dataDirectory, readState } from '../../../api/local-cluster/state.js';
import { RealClock, type Clock, type Timer } from '../../../engine/clock.js';
import { CLUSTER_KILL_MS, CLUSTER_START_MAX_MS } from '../../../engine/limits.js';
import { guardedCluster } from './guarded.js';

t.setTimeout(120_000);

const NEVER = new AbortController().signal;

/** The machine's clock; each wait that is asked for while it jumps is as long as all the time there is. */
class JumpingClock implements Clock {
  jumpsMs = 0;
  private readonly real = new RealClock();
  private aheadMs = 0;

  now(): number {
    return this.real.now() + this.aheadMs;
  }

  after(ms: number, callback: () => void): Timer {
    this.aheadMs += this.jumpsMs;
    return this.real.after(ms, callback);
  }
}

t.test('hosts that do not take requests in time are ended, and told of', async (t) => {
  const directory = guardedCluster(t);
  const clock = new JumpingClock();
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
    // From the first look on: hosts take longer than that.
    clock.jumpsMs = line === 'starting 2 hosts' ? CLUSTER_START_MAX_MS : 0;
  };
  const about = { directory, hosts: 2, servers: 1, port: null, slots: 1, filesDirectory: null, env: process.env };
  await t.rejects(startCluster({ ...about, clock, signal: NEVER, say }), {
    code: 'MILLRACE_CLUSTER_LATE',
    message: /"[^"]+" do not take requests after 60000 ms: host-1 is \w+, host-2 is \w+$/,
  });
  t.equal(said.at(-1), 'ending what was started');
  t.equal(await readState(directory), null, 'nothing was left');
});

t.test('a process that does not end even when it is killed is named', async (t) => {
  const directory = join(dirname(guardedCluster(t)), 'stuck');
  const name = 'host-1';
  mkdirSync(directory, { recursive: true });
  // It only looks like a host: its arguments name the directory.
  const code = "process.on('SIGTERM', () => undefined); process.send('ready'); setInterval(() => undefined, 1000)";
  const child = spawn(process.execPath, ['-e', code, dataDirectory(directory, name)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    detached: true,
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await once(child, 'message');
  const host = { name, port: 1, pid: child.pid! };
  t.strictSame(processesOf(markOf(directory, host)), [child.pid]);
  const clock = new JumpingClock();
  clock.jumpsMs = CLUSTER_KILL_MS;
  const killed: number[] = [];
  const ending = endHosts(directory, [host], 1_000, clock, NEVER, ({ pid }) => void killed.push(pid));
  await t.rejects(ending, {
    code: 'MILLRACE_CLUSTER_STUCK',
    message: `process ${child.pid} of host "host-1" does not end`,
  });
  t.strictSame(killed, [child.pid]);
});
