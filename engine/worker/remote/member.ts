// A process that runs workers for a lead: it connects, says who it is, and does what it is told, until the topology is
// over. When the lead is lost its workers end, for the lead takes them for dead; then it looks for the lead again. On
// the main thread of the member.
//
//   looking ── joined ──► serving ─┬─ over ──► done
//      ▲                           └─ connection broke: workers end ──► looking, for MEMBER_RETURN_MS at most
//      └──── again

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Clock, Timer } from '../../clock.js';
import { PROTOCOL_VERSION } from '../../codec/data-frame.js';
import type { CounterBlock } from '../../metrics/counter-blocks.js';
import { Counters } from '../../metrics/counters.js';
import { failure, fromWire } from '../../errors.js';
import {
  MEMBER_COUNTERS_MS,
  MEMBER_GREETING_MS,
  MEMBER_RETRY_MAX_MS,
  MEMBER_RETRY_MIN_MS,
  MEMBER_RETURN_MS,
  STOP_TIMEOUT_MS,
} from '../../limits.js';
import { dial } from '../../link/tcp/secure.js';
import type { TcpAddress } from '../../link/tcp/tcp-wire.js';
import type { WirePorts } from '../../link/port-wire.js';
import { Backlog } from '../backlog.js';
import { closed, portPair, portsOf } from '../mesh.js';
import type { FromWorker, PeerLink, ToWorker, WorkerInit } from '../messages.js';
import type { TopologySource } from '../module.js';
import { ThreadPool, type WorkerHandle } from '../pool.js';
import type { TopologyConfig } from '../../model/definition.js';
import type { Ended } from '../supervision/cause.js';
import type { SpareThreads } from '../spare-threads.js';
import { memoryShare } from '../supervision/memory-shares.js';
import { Pulse } from '../supervision/pulse.js';
import { WorkerWatch, type Watched } from '../supervision/worker-watch.js';
import type { LeadToMember, MemberToLead, RemoteInit, RemoteTold, SharedBlock } from './messages.js';
import { MessageSocket } from './message-socket.js';
import { enterToJoin } from './door.js';
import { tcpOf, type Reach } from './reach.js';
import { MemberWords } from './shared-words.js';

export interface MemberOptions {
  readonly name: string;
  /** Workers that share the memory of its machine, and threads that stand by for them (default: none). */
  readonly slots: number;
  readonly spares?: SpareThreads | null;
  /** Where the lead has its door, and what the run is called there. */
  readonly lead: TcpAddress;
  readonly run: string;
  readonly reach: Reach;
  /** The topology file as this process has it; the settings are those of the lead. */
  readonly source: TopologySource;
  /** Its SHA-256. */
  readonly hash: string;
  /** The only folder whose files components may open; null: any. Default: what the lead says. */
  readonly filesRoot?: string | null;
  readonly clock: Clock;
  /** Tells the user what is waited for. */
  readonly say: (line: string) => void;
  /** Ends it; the promise of `serve` then rejects with its reason. */
  readonly signal: AbortSignal;
}

const MB = 1024 * 1024;

type LeadSocket = MessageSocket<LeadToMember, MemberToLead>;

/** A worker of this process. */
interface OwnRun extends Watched {
  readonly run: number;
  readonly control: MessagePort;
  readonly handle: WorkerHandle;
  readonly backlog: Backlog;
  /** Its watch has ended it. */
  by: Ended | null;
  isKilled: boolean;
}

export class Member {
  private readonly options: MemberOptions;
  private readonly words = new MemberWords();
  private readonly runs = new Map<number, OwnRun>();
  /** Ends of links between two workers of this process, until the other one is told of its own. */
  private readonly besides = new Map<number, { readonly worker: number; readonly ports: WirePorts }>();
  private threads: ThreadPool | null = null;
  private isStopping = false;
  private watch: WorkerWatch<OwnRun> | null = null;

  constructor(options: MemberOptions) {
    this.options = options;
  }

  /** Workers that the lead has started and that are not over. */
  get workers(): number {
    return this.runs.size;
  }

  /** Has all workers close their components and end, and starts no more; resolves when they have, or time is over. */
  async stopWorkers(): Promise<void> {
    this.isStopping = true;
    const ended: Promise<unknown>[] = [];
    for (const own of this.runs.values()) {
      own.by ??= { by: 'operator', why: 'its host takes no part any more' };
      own.control.postMessage({ type: 'stop' } satisfies ToWorker);
      ended.push(own.handle.ended);
    }
    let timer: Timer | null = null;
    const late = new Promise<void>((resolve) => (timer = this.options.clock.after(STOP_TIMEOUT_MS, resolve)));
    await Promise.race([Promise.all(ended), late]);
    (timer as Timer | null)?.cancel();
  }

  /**
   * Serves the lead until the topology is over.
   *
   * @throws MILLRACE_MEMBER_UNKNOWN, MILLRACE_MEMBER_TAKEN, MILLRACE_MEMBER_FILE: the lead does not take it
   * @throws MILLRACE_MEMBER_SECRET, MILLRACE_LINK_VERSION, MILLRACE_MEMBER_LEAD_LOST
   * @throws the reason of the signal
   */
  async serve(): Promise<void> {
    const { signal, clock, say, lead } = this.options;
    const address = `${lead.host}:${lead.port}`;
    let lostAtMs: number | null = null;
    for (let waitMs = MEMBER_RETRY_MIN_MS; ; waitMs = Math.min(waitMs * 2, MEMBER_RETRY_MAX_MS)) {
      signal.throwIfAborted();
      const served = await this.serveOnce();
      signal.throwIfAborted();
      if (served === 'over') return;
      if (served !== 'unreached') {
        say(`the lead at ${address} was lost: ${served.lost}; looking for it again`);
        lostAtMs = clock.now();
        waitMs = MEMBER_RETRY_MIN_MS;
      } else if (lostAtMs === null && waitMs === MEMBER_RETRY_MIN_MS) {
        say(`waiting for the lead at ${address}`);
      }
      if (lostAtMs !== null && clock.now() - lostAtMs > MEMBER_RETURN_MS) {
        throw failure('MILLRACE_MEMBER_LEAD_LOST', { address, seconds: MEMBER_RETURN_MS / 1000 });
      }
      await this.rest(waitMs);
    }
  }

  private async serveOnce(): Promise<'over' | 'unreached' | { readonly lost: string }> {
    const { lead, clock, signal, reach } = this.options;
    const socket = dial(reach.tls, lead);
    socket.on('error', () => undefined);
    const abort = (): void => void socket.destroy();
    signal.addEventListener('abort', abort);
    const deadline = clock.after(MEMBER_GREETING_MS, () => socket.destroy());
    try {
      const greeted = await enterToJoin(socket, reach.secret);
      deadline.cancel();
      if (typeof greeted === 'object') {
        throw failure('MILLRACE_LINK_VERSION', { own: PROTOCOL_VERSION, other: greeted.version });
      }
      const address = `${lead.host}:${lead.port}`;
      if (greeted === 'stranger') throw failure('MILLRACE_MEMBER_SECRET', { address });
      if (greeted === 'closed') return 'unreached';
      return await this.talk(socket);
    } finally {
      deadline.cancel();
      signal.removeEventListener('abort', abort);
      socket.destroy();
      await this.endAll();
    }
  }

  /** Does what the lead says until it says no more. */
  private async talk(
    socket: ConstructorParameters<typeof MessageSocket>[0],
  ): Promise<'over' | { readonly lost: string }> {
    const { run, name, hash, clock } = this.options;
    let isOver = false;
    let refusal: Error | null = null;
    let counting: NodeJS.Timeout | null = null;
    const reason = await new Promise<string>((resolve) => {
      const lead: LeadSocket = new MessageSocket<LeadToMember, MemberToLead>(
        socket,
        clock,
        { type: 'beat' },
        {
          message: (message) => {
            if (message.type === 'refused') refusal = fromWire(message.error);
            else if (message.type === 'over') isOver = true;
            else this.obey(lead, message);
          },
          closed: resolve,
        },
      );
      lead.send({ type: 'join', run, name, hash });
      counting = setInterval(() => {
        this.sayCounts(lead, [...this.runs.values()]);
      }, MEMBER_COUNTERS_MS);
    });
    clearInterval(counting ?? undefined);
    if (refusal !== null) throw refusal as Error;
    return isOver ? 'over' : { lost: reason };
  }

  private obey(lead: LeadSocket, message: LeadToMember): void {
    switch (message.type) {
      case 'welcome':
        this.options.say(`joined the lead at ${this.options.lead.host}:${this.options.lead.port}`);
        return;
      case 'start':
        this.start(lead, message);
        return;
      case 'tell':
        this.tell(message.run, message.message);
        return;
      case 'taken':
        this.runs.get(message.run)?.backlog.taken(message.characters);
        return;
      case 'forget':
        this.words.forget(message.memory);
        return;
      case 'kill':
        this.kill(message.run);
        return;
      default:
        return;
    }
  }

  private start(lead: LeadSocket, { run, init, counters }: Extract<LeadToMember, { readonly type: 'start' }>): void {
    // Its lead hears soon that it is gone.
    if (this.isStopping) return;
    const { source, reach, filesRoot = init.filesRoot } = this.options;
    this.threads ??= this.openThreads(init.description.config);
    const { port1, port2 } = new MessageChannel();
    const backlog = new Backlog();
    const pulse = new Pulse(init.limits.directDepthMax);
    const peers = init.peers.map((peer) => this.withPorts(peer));
    const full: WorkerInit = {
      ...init,
      source: { ...source, settings: init.source.settings },
      filesRoot,
      tcp: tcpOf(init.tcp, reach),
      control: port2,
      counters: counters.map((block) => this.ownBlock(block, init)),
      backlog: backlog.memory,
      pulse: pulse.memory,
      peers,
      instrument: null,
    };
    const handle = this.threads.start(full, [port2, ...portsOf(peers)]);
    const own: OwnRun = {
      run,
      control: port1,
      handle,
      backlog,
      pulse,
      by: null,
      isKilled: false,
      get threadId() {
        return handle.threadId;
      },
    };
    this.runs.set(run, own);
    port1.on('message', (message: FromWorker) => {
      if (message.type === 'hello') {
        handle.threadId = message.threadId;
        // It was to be ended before it could be.
        if (own.isKilled) void handle.kill();
      }
      // What it did is added up when it is gone.
      if (message.type === 'letGo') this.sayCounts(lead);
      lead.send({ type: 'said', run, message });
    });
    void Promise.all([handle.ended, closed(port1, handle.ended)]).then(([reason]) => {
      this.runs.delete(run);
      port1.close();
      this.dropBesides(init.worker);
      // The last of what it counted and did is known before its end is.
      this.sayCounts(lead, [own]);
      lead.send({ type: 'ended', run, reason, by: own.by });
    });
  }

  private kill(run: number): void {
    const own = this.runs.get(run);
    if (own === undefined) return;
    own.isKilled = true;
    void own.handle.kill();
  }

  /** Threads for the workers of a topology, watched as the lead watches its own. */
  private openThreads(config: TopologyConfig): ThreadPool {
    const { slots, clock, spares = null } = this.options;
    const { heapMb, buffersMb } = memoryShare(config, slots);
    this.watch = new WorkerWatch<OwnRun>({
      clock,
      stallMs: config.stallTimeoutMs,
      buffersBytesMax: buffersMb * MB,
      workers: () => this.runs.values(),
      end: (own, by) => {
        own.by ??= by;
        void own.handle.kill();
      },
    });
    this.watch.start();
    return new ThreadPool({ threads: 0, heapMbMax: heapMb, spares });
  }

  private sayCounts(lead: LeadSocket, runs: readonly OwnRun[] = []): void {
    lead.send({ type: 'counted', changed: this.words.takeChanges(), pulses: runs.map(pulseOf) });
  }

  /** @param init - of a worker that starts */
  private ownBlock(block: SharedBlock, init: RemoteInit | null = null): CounterBlock {
    const { firstTask, tasks, firstWorker, workers, memory } = block;
    if (init === null) return { ...block, memory: this.words.memoryOf(memory) };
    const counters = new Counters(tasks, workers, new SharedArrayBuffer(0));
    const own = init.plan.tasks.flatMap(({ task, worker }) => {
      return worker === init.worker && task >= firstTask && task < firstTask + tasks ? task - firstTask : [];
    });
    const beats = init.worker - firstWorker;
    const spans = counters.spansOf(own, beats).slice(beats >= 0 && beats < workers ? 0 : 1);
    return { ...block, memory: this.words.memoryOf(memory, spans) };
  }

  private tell(run: number, message: RemoteTold): void {
    const control = this.runs.get(run)?.control;
    if (control === undefined) return;
    const links = linksIn(message).map((peer) => this.withPorts(peer));
    control.postMessage(this.withOwn(message, links), portsOf(links));
  }

  /** The same with what only lives in this process. */
  private withOwn(message: RemoteTold, links: readonly PeerLink[]): ToWorker {
    if (message.type === 'prepareChange') {
      return { ...message, peers: links, counters: this.ownBlock(message.counters) };
    }
    return message.type === 'rewire' ? { ...message, peer: links[0] ?? null } : message;
  }

  /**
   * A link between two workers of this process goes over ports, which are made when the first of them is told of it.
   */
  private withPorts(peer: PeerLink): PeerLink {
    if (peer.kind !== 'beside') return peer;
    const { link, worker } = peer;
    const made = this.besides.get(link);
    if (made !== undefined) {
      this.besides.delete(link);
      return { kind: 'ports', link, worker, ...made.ports };
    }
    const { first, second } = portPair();
    this.besides.set(link, { worker, ports: second });
    return { kind: 'ports', link, worker, ...first };
  }

  /** A worker that was to be told of its end of a link is over. */
  private dropBesides(worker: number): void {
    for (const [link, { worker: other, ports }] of this.besides) {
      if (other !== worker) continue;
      this.besides.delete(link);
      ports.data.close();
      ports.control.close();
    }
  }

  private async endAll(): Promise<void> {
    const { threads } = this;
    this.threads = null;
    this.watch?.stop();
    this.watch = null;
    await threads?.destroy();
    for (const { control } of this.runs.values()) control.close();
    this.runs.clear();
    this.besides.clear();
    this.words.clear();
  }

  private async rest(waitMs: number): Promise<void> {
    const { clock, signal } = this.options;
    await new Promise<void>((resolve) => {
      const rested = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', rested);
        resolve();
      };
      const timer = clock.after(waitMs, rested);
      signal.addEventListener('abort', rested);
    });
  }
}

/** Ends of links that go along with what a worker is told. */
function linksIn(message: RemoteTold): readonly PeerLink[] {
  if (message.type === 'prepareChange') return message.peers;
  return message.type === 'rewire' && message.peer !== null ? [message.peer] : [];
}

/** What a worker does, as it stands in its pulse. */
function pulseOf({ run, pulse }: OwnRun): readonly [run: number, words: Int32Array] {
  return [run, new Int32Array(pulse.memory).slice()];
}
