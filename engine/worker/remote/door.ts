// Where a process is reached by others of its cluster, on one port: by members of the runs that it leads, and by those
// who ask it something. Who connects proves that it belongs here and says what it wants; a member then says which run
// it joins and who it is, and from then on what it says is for that run. A stranger costs a small buffer for a few
// seconds, and never more than `MEMBERS_MAX` of them at a time.
//
//   connected ─ greeting ─► belongs here ─┬─ wants to join: join ─► a member of that run ─► its messages
//       │                       │         └─ wants to ask: told to go on ─► somebody else's socket
//       └───────────────────────┴─ too late, too many, no such run ─► closed
//
// On the main thread.

import type { Server, Socket } from 'node:net';
import type { Clock, Timer } from '../../clock.js';
import { PROTOCOL_VERSION } from '../../codec/data-frame.js';
import { failure, reasonOf, toWire } from '../../errors.js';
import { MEMBER_GREETING_MS, MEMBERS_MAX } from '../../limits.js';
import { greetAsCaller, greetAsListener, Intake, type Greeted, type GreetingKey } from '../../link/tcp/greeting.js';
import { listenOn, type PortRange } from '../../link/tcp/listen.js';
import { listener, type TlsIdentity } from '../../link/tcp/secure.js';
import type { TcpAddress } from '../../link/tcp/tcp-wire.js';
import { MessageSocket } from './message-socket.js';
import type { LeadToMember, MemberToLead } from './messages.js';

/** What the greeting at a door is for. */
const PURPOSE = 'millrace door';

/** What a caller wants, in one byte behind the greeting; the answer of who is asked is the same. */
const WANTS_TO_JOIN = 1;
const WANTS_TO_ASK = 2;

export type MemberSocket = MessageSocket<MemberToLead, LeadToMember>;

/** A member that was let in. */
export interface Guest {
  heard(message: Exclude<MemberToLead, { readonly type: 'join' | 'beat' }>): void;
  /** Its connection is gone. */
  lost(reason: string): void;
}

/** A run that members join. */
export interface Hosting {
  /** @throws why it may not join */
  join(member: MemberSocket, name: string, hash: string): Guest;
}

export interface DoorOptions {
  readonly host: string;
  readonly ports: PortRange;
  readonly secret: string;
  readonly tls: TlsIdentity | null;
  readonly clock: Clock;
  /** Takes the socket of who wants to ask something. Default: it is closed. */
  readonly asked?: (socket: Socket) => void;
  /** Told who does not belong here, by the IP address, and why. Default: nobody is. */
  readonly refused?: (address: string, reason: string) => void;
}

/** What became of a caller at a door. */
export type Entered = Greeted | 'refused';

/** Enters a door as one that wants to join a run. */
export async function enterToJoin(socket: Socket, secret: string): Promise<Greeted> {
  const intake = new Intake(socket);
  const greeted = await greetAsCaller(intake, { key: secret, purpose: PURPOSE });
  intake.end();
  if (greeted === 'greeted') socket.write(Buffer.of(WANTS_TO_JOIN));
  return greeted;
}

/** Enters a door as one that wants to ask something; what it writes then is the question. */
export async function enterToAsk(socket: Socket, secret: string): Promise<Entered> {
  const intake = new Intake(socket);
  const greeted = await greetAsCaller(intake, { key: secret, purpose: PURPOSE });
  if (greeted === 'greeted') socket.write(Buffer.of(WANTS_TO_ASK));
  const answer = greeted === 'greeted' ? await intake.take(1) : null;
  intake.end();
  return greeted === 'greeted' && answer?.[0] !== WANTS_TO_ASK ? 'refused' : greeted;
}

export class Door {
  private readonly options: DoorOptions;
  private readonly key: GreetingKey;
  private readonly runs = new Map<string, Hosting>();
  private readonly strangers = new Set<Socket>();
  private server: Server | null = null;
  private isClosed = false;

  constructor(options: DoorOptions) {
    this.options = options;
    this.key = { key: options.secret, purpose: PURPOSE };
  }

  /**
   * Listens for members.
   *
   * @throws MILLRACE_PROCESSES_LISTEN
   */
  async listen(): Promise<TcpAddress> {
    const { host, ports, tls } = this.options;
    const server = listener(
      tls,
      MEMBER_GREETING_MS,
      (socket) => void this.admit(socket),
      (address) => this.options.refused?.(address, 'it has no certificate of the authority of this cluster'),
    );
    this.server = server;
    try {
      return { host, port: await listenOn(server, host, ports) };
    } catch (error) {
      const address = ports === null ? host : `${host}:${ports[0]}`;
      throw failure('MILLRACE_PROCESSES_LISTEN', { address, reason: reasonOf(error) }, { cause: error });
    }
  }

  /** Members may join that run from now on. */
  open(run: string, hosting: Hosting): void {
    this.runs.set(run, hosting);
  }

  /** Nobody joins that run any more; who has joined is ended by it. */
  shut(run: string, hosting: Hosting): void {
    if (this.runs.get(run) === hosting) this.runs.delete(run);
  }

  /** Listens no more; members are ended by their runs. */
  close(): void {
    this.isClosed = true;
    for (const socket of this.strangers) socket.destroy();
    this.server?.close();
  }

  private async admit(socket: Socket): Promise<void> {
    socket.on('error', () => undefined);
    const [oldest] = this.strangers;
    if (oldest !== undefined && this.strangers.size >= MEMBERS_MAX) oldest.destroy();
    this.strangers.add(socket);
    socket.once('close', () => this.strangers.delete(socket));
    const address = socket.remoteAddress ?? '';
    const deadline = this.options.clock.after(MEMBER_GREETING_MS, () => socket.destroy());
    const intake = new Intake(socket);
    const greeted = await greetAsListener(intake, this.key);
    const wanted = greeted === 'greeted' ? await intake.take(1) : null;
    intake.end();
    if (wanted?.[0] === WANTS_TO_JOIN && !this.isClosed) {
      this.receive(socket, deadline);
      return;
    }
    deadline.cancel();
    this.tellRefused(address, greeted);
    if (wanted?.[0] === WANTS_TO_ASK && !this.isClosed && this.options.asked !== undefined) {
      this.strangers.delete(socket);
      this.options.asked(socket);
      // Nothing of the question may be read before it belongs to who answers.
      socket.write(Buffer.of(WANTS_TO_ASK));
    } else if (typeof greeted === 'object') {
      // One with another version is still being told ours.
      socket.destroySoon();
    } else {
      socket.destroy();
    }
  }

  /** Who only connected and left has said nothing wrong. */
  private tellRefused(address: string, greeted: Greeted): void {
    const { refused } = this.options;
    if (greeted === 'stranger') refused?.(address, 'it is no host, or does not know the secret of this cluster');
    if (greeted === 'left') refused?.(address, 'it does not know the secret of this cluster, and left');
    if (typeof greeted !== 'object') return;
    refused?.(address, `it speaks protocol ${greeted.version}, and this host ${PROTOCOL_VERSION}`);
  }

  /** Somebody who wants to join a run, and has until the deadline to say which. */
  private receive(socket: Socket, deadline: Timer): void {
    let guest: Guest | null = null;
    const member: MemberSocket = new MessageSocket<MemberToLead, LeadToMember>(
      socket,
      this.options.clock,
      { type: 'beat' },
      {
        message: (message) => {
          if (message.type === 'join') {
            deadline.cancel();
            this.strangers.delete(socket);
            guest ??= this.join(member, message);
          } else if (guest === null) member.break('it did not say who it is');
          else if (message.type !== 'beat') guest.heard(message);
        },
        closed: (reason) => {
          deadline.cancel();
          guest?.lost(reason);
        },
      },
    );
  }

  /** Null when it may not join. */
  private join(
    member: MemberSocket,
    { run, name, hash }: Extract<MemberToLead, { readonly type: 'join' }>,
  ): Guest | null {
    try {
      const hosting = this.runs.get(run);
      if (hosting === undefined) throw failure('MILLRACE_MEMBER_RUN', { member: name, run });
      return hosting.join(member, name, hash);
    } catch (error) {
      member.send({ type: 'refused', error: toWire(error) });
      member.end();
      return null;
    }
  }
}
