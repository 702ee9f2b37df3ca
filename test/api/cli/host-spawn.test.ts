// The small parent when the system gives it no process: at first it says so and ends, later it tries again.

import { EventEmitter } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import t from 'tap';
import { EXIT_FAILED, EXIT_OK, type EndSignal } from '../../../api/cli/exit.js';
import { hostCommand, type HostEnvironment } from '../../../api/cli/host.js';
import { Output } from '../../../api/cli/output.js';
import { VirtualClock } from '../../../engine/clock.js';
import { HOST_RESTART_MAX_MS } from '../../../engine/limits.js';
import { FakeStream } from './fakes.js';

class FakeChild extends EventEmitter {
  readonly pid: number | undefined;
  readonly connected = false;

  readonly kill = (): boolean => true;
  constructor(pid: number | undefined) {
    super();
    this.pid = pid;
  }
}

const NO_PROCESS = new Error('spawn EAGAIN');

/** What starting a process comes to: one, one that never was, or an error at once. */
type Start = 'process' | 'none' | 'throws';

function parent(starts: readonly Start[]) {
  const stderr = new FakeStream();
  const children: FakeChild[] = [];
  const clock = new VirtualClock();
  let signal: (signal: EndSignal) => void = () => undefined;
  const closed: string[] = [];
  let letClose: () => void = () => undefined;
  const environment: HostEnvironment = {
    output: new Output({ stdout: new FakeStream(), stderr, json: false, onReaderGone: () => undefined }),
    clock,
    onSignal: (listener) => (signal = listener),
    start: () => {
      const start = starts[children.length] ?? 'process';
      const child = new FakeChild(start === 'process' ? 100 : undefined);
      children.push(child);
      if (start === 'throws') throw NO_PROCESS;
      if (start === 'none') process.nextTick(() => child.emit('error', NO_PROCESS));
      return child as unknown as ChildProcess;
    },
    endSession: async (servers, { id }) => {
      closed.push(`${id} of ${servers}`);
      await new Promise<void>((resolve) => (letClose = resolve));
    },
  };
  const request = {
    listen: '127.0.0.1:0',
    dataDirectory: 'data',
    filesDirectory: null,
    slots: null,
    zookeeper: 'zk',
    name: null,
    labels: [],
    sessionTimeoutMs: null,
    links: { address: null, ports: null, secretFile: null, tlsKey: null, tlsCert: null, tlsCa: null },
    json: false,
    verbose: false,
  };
  const ended = hostCommand(request, environment);
  return {
    ended,
    children,
    clock,
    stderr,
    /** Sessions that were ended for a process that died. */
    closed,
    letClose: () => letClose(),
    signal: (name: EndSignal) => signal(name),
  };
}

for (const start of ['none', 'throws'] as const) {
  t.test(`the first process cannot be started: ${start}`, async (t) => {
    const { ended, stderr } = parent([start]);
    t.equal(await ended, EXIT_FAILED);
    t.match(stderr.text, /the host process could not be made: spawn EAGAIN/);
  });

  t.test(`a later process cannot be started, and is tried again: ${start}`, async (t) => {
    const { ended, children, clock, stderr, signal } = parent(['process', start, start]);
    const [first] = children;
    first!.emit('message', { type: 'listening', url: 'http://127.0.0.1:7070' });
    first!.emit('error', new Error('a message could not be sent'));
    first!.emit('exit', null, 'SIGKILL');
    for (let tries = 0; tries < 3; tries++) {
      clock.step(clock.now() + HOST_RESTART_MAX_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.equal(children.length, 4);
    t.match(stderr.text, /ended with SIGKILL.*\n.*could not be made: spawn EAGAIN; starting it again in 200 ms/);
    signal('SIGTERM');
    children[3]!.emit('exit', 0, null);
    t.equal(await ended, EXIT_OK);
  });
}

t.test('the session of a process that was killed is ended before the command is over', async (t) => {
  const { ended, children, closed, letClose, signal } = parent(['process']);
  const [child] = children;
  child!.emit('message', { type: 'listening', url: 'http://127.0.0.1:7070' });
  child!.emit('message', { type: 'session', key: { id: '0x7', password: 'ab' } });
  signal('SIGINT');
  signal('SIGINT');
  child!.emit('exit', null, 'SIGKILL');
  t.strictSame(closed, ['0x7 of zk']);
  let isOver = false;
  void ended.then(() => (isOver = true));
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(isOver);
  letClose();
  t.equal(await ended, 130);
});

t.test('a process that ended by itself has closed its session', async (t) => {
  const { ended, children, closed, signal } = parent(['process']);
  const [child] = children;
  child!.emit('message', { type: 'listening', url: 'http://127.0.0.1:7070' });
  child!.emit('message', { type: 'session', key: { id: '0x7', password: 'ab' } });
  signal('SIGTERM');
  child!.emit('exit', 0, null);
  t.equal(await ended, EXIT_OK);
  t.strictSame(closed, []);
});
