// A lead and its members in one process, on virtual time: who may not join, who does not come back, what is said that
// nobody understands, and the counters of both.

import { connect, type Socket } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { isMillraceError } from '../../../../engine/errors.js';
import {
  MEMBER_BEAT_MS,
  MEMBER_MESSAGE_BYTES_MAX,
  MEMBER_RETURN_MS,
  runtimeLimits,
} from '../../../../engine/limits.js';
import { tcpLinkLimits } from '../../../../engine/limits.js';
import { TcpEndpoint } from '../../../../engine/link/tcp/endpoint.js';
import { defaultConfig } from '../../../../engine/model/config.js';
import type { FromWorker, WorkerInit } from '../../../../engine/worker/messages.js';
import { Member } from '../../../../engine/worker/remote/member.js';
import type { LeadToMember, MemberToLead } from '../../../../engine/worker/remote/messages.js';
import { MessageSocket } from '../../../../engine/worker/remote/message-socket.js';
import { enterToJoin } from '../../../../engine/worker/remote/door.js';
import { leadProcesses, ONLY_RUN } from '../../../../engine/worker/remote/known-processes.js';
import type { ProcessPool } from '../../../../engine/worker/remote/process-pool.js';
import { LeadWords, MemberWords } from '../../../../engine/worker/remote/shared-words.js';

const host = '127.0.0.1';
const source = { kind: 'document', document: null, settings: {} } as const;

interface Led {
  readonly pool: ProcessPool;
  readonly port: number;
  readonly clock: VirtualClock;
  readonly said: string[];
  closeDoor(): void;
}

async function leadOf(t: { teardown(call: () => unknown): void }): Promise<Led> {
  const clock = new VirtualClock();
  const said: string[] = [];
  const { pool, port } = await leadProcesses({
    lead: { name: 'a', host, workers: 1 },
    members: [{ name: 'b', host, workers: 2 }],
    port: 0,
    config: defaultConfig,
    secret: 'the secret',
    hash: 'the hash',
    clock,
    say: (line) => void said.push(line),
  });
  t.teardown(async () => await pool.destroy());
  const { door } = (pool as unknown as { options: { door: { close(): void } } }).options;
  return { pool, port, clock, said, closeDoor: () => door.close() };
}

function memberOf(
  port: number,
  clock: VirtualClock,
  more: object = {},
  secret = 'the secret',
): { readonly served: Promise<void>; end(): void } {
  const ending = new AbortController();
  const member = new Member({
    ...{ name: 'b', slots: 2, lead: { host, port }, run: ONLY_RUN, source, hash: 'the hash', clock },
    reach: { host, ports: null, secret, tls: null },
    ...{ say: () => undefined, signal: ending.signal },
    ...more,
  });
  return { served: member.serve(), end: () => ending.abort(new Error('ended by the test')) };
}

async function codeOf(promise: Promise<unknown>): Promise<string | null> {
  const thrown: unknown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  return isMillraceError(thrown) ? thrown.code : null;
}

/** Lets time pass while sockets have theirs. */
async function passUntil(clock: VirtualClock, stepMs: number, holds: () => boolean): Promise<void> {
  while (!holds()) {
    clock.step(clock.now() + stepMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A member by hand. */
async function joined(led: Led): Promise<{ readonly socket: Socket; readonly heard: LeadToMember[] }> {
  const socket = connect(led.port, host);
  socket.on('error', () => undefined);
  t.equal(await enterToJoin(socket, 'the secret'), 'greeted');
  const heard: LeadToMember[] = [];
  let welcome: () => void = () => undefined;
  const welcomed = new Promise<void>((resolve) => (welcome = resolve));
  const messages = new MessageSocket<LeadToMember, MemberToLead>(
    socket,
    led.clock,
    { type: 'beat' },
    {
      message: (message) => {
        heard.push(message);
        welcome();
      },
      closed: () => undefined,
    },
  );
  messages.send({ type: 'join', run: ONLY_RUN, name: 'b', hash: 'the hash' });
  await welcomed;
  return { socket, heard };
}

/** The init of worker 1, as far as a pool looks at it; what it says is kept. */
function initOf(): { readonly init: WorkerInit; readonly said: FromWorker[]; tell(message: object): void } {
  const { port1, port2 } = new MessageChannel();
  const said: FromWorker[] = [];
  port1.on('message', (message: FromWorker) => said.push(message));
  const init = {
    ...{ worker: 1, control: port2, instrument: null, limits: runtimeLimits, peers: [], source },
    ...{ counters: [], backlog: new SharedArrayBuffer(4), pulse: new SharedArrayBuffer(64) },
  };
  return { init: init as unknown as WorkerInit, said, tell: (message) => port1.postMessage(message) };
}

t.test('who does not know the secret, has another name or another file, may not join', async (t) => {
  const { port, clock } = await leadOf(t);
  t.equal(await codeOf(memberOf(port, clock, {}, 'another one').served), 'MILLRACE_MEMBER_SECRET');
  t.equal(await codeOf(memberOf(port, clock, { name: 'c' }).served), 'MILLRACE_MEMBER_UNKNOWN');
  t.equal(await codeOf(memberOf(port, clock, { run: 'another one' }).served), 'MILLRACE_MEMBER_RUN');
  t.equal(await codeOf(memberOf(port, clock, { hash: 'another one' }).served), 'MILLRACE_MEMBER_FILE');
});

t.test('a member that does not come back fails the topology, by name', async (t) => {
  const led = await leadOf(t);
  const { socket, heard } = await joined(led);
  const { init, said } = initOf();
  const handle = led.pool.start(init, []);
  await new Promise<void>((resolve) => {
    const look = (): void => void (heard.some(({ type }) => type === 'start') ? resolve() : setImmediate(look));
    look();
  });
  socket.destroy();
  t.match(await handle.ended, /member "b" was lost/);
  t.strictSame(handle.endedBy, { by: 'operator' }, 'nothing that ran there is to blame');
  const next = initOf();
  const waiting = led.pool.start(next.init, []);
  await passUntil(led.clock, MEMBER_RETURN_MS / 4, () => next.said.length > 0);
  t.match(next.said, [{ type: 'refused', error: { code: 'MILLRACE_MEMBER_LOST', fatal: true } }]);
  t.match(next.said, [{ error: { message: /member "b" was lost and was not back within 60 s/ } }]);
  next.tell({ type: 'stop' });
  t.equal(await waiting.ended, null);
  t.strictSame(said, []);
});

t.test('a lead that does not come back ends its member', async (t) => {
  const led = await leadOf(t);
  const said: string[] = [];
  const { served } = memberOf(led.port, led.clock, { say: (line: string) => void said.push(line) });
  const code = codeOf(served);
  await passUntil(led.clock, 1, () => said.some((line) => line.startsWith('joined')));
  const { desks } = led.pool as unknown as { desks: Map<string, { socket: { break(reason: string): void } }> };
  led.closeDoor();
  desks.get('b')?.socket.break('cut by the test');
  let ended: string | null | undefined;
  void code.then((value) => (ended = value));
  await passUntil(led.clock, 1_000, () => ended !== undefined);
  t.equal(ended, 'MILLRACE_MEMBER_LEAD_LOST');
  t.match(said.at(-1), /looking for it again/);
});

t.test('messages that are too long, make no sense or stop coming break their connection and no more', async (t) => {
  const led = await leadOf(t);
  const head = (length: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(length);
    return bytes;
  };
  for (const bytes of [head(MEMBER_MESSAGE_BYTES_MAX + 1), Buffer.concat([head(3), Buffer.from([0xc1, 0, 0])])]) {
    const { socket } = await joined(led);
    socket.write(bytes);
    await new Promise((resolve) => socket.once('close', resolve));
  }
  const { socket } = await joined(led);
  socket.pause();
  const before = led.clock.now();
  await passUntil(led.clock, MEMBER_BEAT_MS, () => led.said.filter((line) => line.includes('was lost')).length === 3);
  t.ok(led.clock.now() > before);
  socket.destroy();
  t.match(
    led.said.filter((line) => line.includes('was lost')),
    [/announced a message of/, /cannot be understood/, /lost/],
  );
});

t.test('counters and what they stood at go over, changes only', async (t) => {
  const lead = new LeadWords();
  const memory = new SharedArrayBuffer(80);
  const words = new Float64Array(memory);
  words[3] = 7;
  const member = new MemberWords();
  const shared = lead.share(memory);
  const own = new Float64Array(member.memoryOf(shared));
  t.strictSame([...own], [...words]);
  t.strictSame(member.takeChanges(), []);
  own[4] = 1.5;
  own[3] = 8;
  const changed = member.takeChanges();
  t.strictSame(
    changed.map(({ places }) => [...places]),
    [[3, 4]],
  );
  lead.apply(changed);
  t.strictSame([...words], [...own]);
  lead.apply([{ memory: 9, places: Uint32Array.of(1), words: Float64Array.of(1) }]);
  lead.apply([{ memory: 0, places: Uint32Array.of(10), words: Float64Array.of(1) }]);
  t.strictSame([...words], [...own], 'what names no word changes nothing');
  t.strictSame(member.takeChanges(), []);
  t.equal(lead.forget(memory), 0);
  t.equal(lead.forget(memory), null, 'nobody knows it any more');
  member.forget(0);
  own[5] = 2;
  t.strictSame(member.takeChanges(), [], 'what is forgotten is not looked at');
  lead.apply([{ memory: 0, places: Uint32Array.of(1), words: Float64Array.of(1) }]);
  t.equal(words[1], 0);
  t.equal(lead.share(memory).memory, 1, 'no number is used again');
});

t.test('what counts where it counted before goes on from where the lead stands', (t) => {
  const lead = new LeadWords();
  const memory = new SharedArrayBuffer(80);
  const words = new Float64Array(memory);
  const member = new MemberWords();
  const own = new Float64Array(member.memoryOf(lead.share(memory)));
  own[0] = 5;
  lead.apply(member.takeChanges());
  own[9] = 3;
  // Its worker counts elsewhere for a while, and is back.
  words.set([11, 2], 0);
  const again = new Float64Array(member.memoryOf(lead.share(memory), [[0, 4]]));
  t.equal(again.buffer, own.buffer, 'the same memory');
  t.strictSame([...own], [11, 2, 0, 0, 0, 0, 0, 0, 0, 3], 'others count on');
  t.strictSame(
    member.takeChanges().map(({ places, words: changed }) => [[...places], [...changed]]),
    [[[9], [3]]],
  );
  t.end();
});

t.test('a member that was given up while nothing ran there is waited for when something is to', async (t) => {
  const led = await leadOf(t);
  const { socket } = await joined(led);
  socket.destroy();
  await passUntil(led.clock, 1, () => led.said.some((line) => line.includes('was lost')));
  led.clock.step(led.clock.now() + 2 * MEMBER_RETURN_MS);
  const { init, said } = initOf();
  const handle = led.pool.start(init, []);
  led.clock.step(led.clock.now() + MEMBER_RETURN_MS - 1);
  await passUntil(led.clock, 1, () => said.length > 0);
  t.match(said, [{ type: 'refused', error: { code: 'MILLRACE_MEMBER_LOST' } }]);
  await handle.kill();
  t.equal(await handle.ended, 'killed');
});

t.test('a worker that cannot listen says so', async (t) => {
  const options = {
    ...{ worker: 0, host: '203.0.113.1', ports: null, tls: null, token: '', addresses: [] },
    limits: tcpLinkLimits,
  };
  t.equal(await codeOf(new TcpEndpoint({ ...options, clock: new VirtualClock() }).listen()), 'MILLRACE_LINK_LISTEN');
});
