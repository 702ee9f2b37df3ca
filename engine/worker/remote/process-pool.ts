// A pool whose workers are threads of several processes: those of the lead, which supervises the topology, and those of
// its members, which connect to it. Which process has which workers is fixed. On the main thread of the lead.
//
//   workers 0 … of the lead │ … of the first member │ … of the second …

import { createServer, type Server, type Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../clock.js';
import { failure, reasonOf, toWire } from '../../errors.js';
import { MEMBER_GREETING_MS, MEMBERS_MAX } from '../../limits.js';
import { greetAsListener, Intake, type GreetingKey } from '../../link/tcp/greeting.js';
import type { PeerLink, WorkerInit } from '../messages.js';
import type { TopologyConfig } from '../../model/definition.js';
import { memoryShare } from '../supervision/memory-shares.js';
import { ThreadPool, type WorkerHandle, type WorkerPool } from '../pool.js';
import { MemberDesk, type MemberSocket } from './member-desk.js';
import type { LeadToMember, MemberToLead } from './messages.js';
import { MessageSocket } from './message-socket.js';
import { LeadWords } from './shared-words.js';

/** A process and its part of the workers. */
export interface ProcessPart {
  readonly name: string;
  /** The address of its machine, on which its workers listen. */
  readonly host: string;
  readonly workers: number;
}

export interface ProcessPoolOptions {
  readonly lead: ProcessPart;
  /** Where the lead listens for its members. */
  readonly port: number;
  readonly members: readonly ProcessPart[];
  /** What the topology says about memory. */
  readonly config: TopologyConfig;
  /** What all of them know. */
  readonly secret: string;
  /** The SHA-256 of the topology file. */
  readonly hash: string;
  readonly clock: Clock;
  /** Tells the user whom is waited for. */
  readonly say: (line: string) => void;
}

/** What the greeting between a lead and its members is for. */
export const MEMBER_PURPOSE = 'millrace member';

export class ProcessPool implements WorkerPool {
  /** Of all processes together. */
  readonly workers: number;
  readonly usesTcp = true;
  private readonly options: ProcessPoolOptions;
  private readonly key: GreetingKey;
  private readonly threads: ThreadPool;
  private readonly words = new LeadWords();
  private readonly parts: readonly ProcessPart[];
  /** Of each worker, by its number, which part has it. */
  private readonly partOf: readonly number[];
  private readonly desks = new Map<string, MemberDesk>();
  private readonly strangers = new Set<Socket>();
  private server: Server | null = null;
  private isOver = false;

  constructor(options: ProcessPoolOptions) {
    this.options = options;
    this.key = { key: options.secret, purpose: MEMBER_PURPOSE };
    this.parts = [options.lead, ...options.members];
    this.partOf = this.parts.flatMap(({ workers }, part) => new Array<number>(workers).fill(part));
    this.workers = this.partOf.length;
    const threads = options.lead.workers;
    this.threads = new ThreadPool({ threads, heapMbMax: memoryShare(options.config, threads).heapMb });
    const { clock, say } = options;
    for (const { name } of options.members) {
      this.desks.set(name, new MemberDesk({ name, words: this.words, clock, say }));
    }
  }

  /**
   * Listens for members.
   *
   * @returns the port, which is a free one when that of the options is 0
   * @throws MILLRACE_PROCESSES_LISTEN
   */
  async listen(): Promise<number> {
    const { port, lead } = this.options;
    const server = createServer({ noDelay: true }, (socket) => void this.admit(socket));
    this.server = server;
    return await new Promise((resolve, reject) => {
      server.once('error', (error) => {
        const details = { address: `${lead.host}:${port}`, reason: reasonOf(error) };
        reject(failure('MILLRACE_PROCESSES_LISTEN', details, { cause: error }));
      });
      server.listen(port, lead.host, () => {
        const bound = server.address();
        resolve(bound !== null && typeof bound === 'object' ? bound.port : port);
      });
    });
  }

  linkKind(first: number, second: number): PeerLink['kind'] {
    const part = this.partOf[first];
    if (part !== this.partOf[second]) return 'tcp';
    return part === 0 ? 'ports' : 'beside';
  }

  addressOf(worker: number): string {
    return this.parts[this.partOf[worker]!]!.host;
  }

  start(init: WorkerInit, transfer: readonly MessagePort[]): WorkerHandle {
    const part = this.partOf[init.worker]!;
    return part === 0 ? this.threads.start(init, transfer) : this.desks.get(this.parts[part]!.name)!.start(init);
  }

  get workersMax(): number {
    return this.workers;
  }

  forget(memory: SharedArrayBuffer): void {
    const number = this.words.forget(memory);
    if (number === null) return;
    for (const desk of this.desks.values()) desk.forget(number);
  }

  async destroy(): Promise<void> {
    this.isOver = true;
    for (const desk of this.desks.values()) desk.end();
    for (const socket of this.strangers) socket.destroy();
    this.server?.close();
    await this.threads.destroy();
  }

  private async admit(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    const [oldest] = this.strangers;
    if (oldest !== undefined && this.strangers.size >= MEMBERS_MAX) oldest.destroy();
    this.strangers.add(socket);
    socket.once('close', () => this.strangers.delete(socket));
    const deadline = this.options.clock.after(MEMBER_GREETING_MS, () => socket.destroy());
    const intake = new Intake(socket);
    const greeted = await greetAsListener(intake, this.key);
    intake.end();
    if (greeted !== 'greeted' || this.isOver) {
      deadline.cancel();
      // One with another version is still being told ours.
      if (typeof greeted === 'object') socket.destroySoon();
      else socket.destroy();
      return;
    }
    let desk: MemberDesk | null = null;
    const member: MemberSocket = new MessageSocket<MemberToLead, LeadToMember>(
      socket,
      this.options.clock,
      { type: 'beat' },
      {
        message: (message) => {
          if (message.type === 'join') {
            deadline.cancel();
            this.strangers.delete(socket);
            desk ??= this.join(member, message.name, message.hash);
          } else if (desk === null) member.break('it did not say who it is');
          else if (message.type === 'counted') {
            this.words.apply(message.changed);
            desk.showed(message.pulses);
          } else if (message.type !== 'beat') desk.heard(message);
        },
        closed: (reason) => {
          deadline.cancel();
          desk?.lost(member, reason);
        },
      },
    );
  }

  /** The desk of who joins, or null when it may not. */
  private join(member: MemberSocket, name: string, hash: string): MemberDesk | null {
    const desk = this.desks.get(name);
    const error =
      desk === undefined
        ? failure('MILLRACE_MEMBER_UNKNOWN', { member: name, known: [...this.desks.keys()].join(', ') })
        : hash !== this.options.hash
          ? failure('MILLRACE_MEMBER_FILE', { member: name })
          : desk.isThere
            ? failure('MILLRACE_MEMBER_TAKEN', { member: name })
            : null;
    if (desk !== undefined && error === null) {
      desk.joined(member);
      return desk;
    }
    member.send({ type: 'refused', error: toWire(error) });
    member.end();
    return null;
  }
}
