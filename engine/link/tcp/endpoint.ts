// Where the TCP links of one worker end: the port that it listens on, and the sockets that it connects. Who connects
// must prove that it belongs to the same run of the topology, and name a link that this worker has; a stranger costs a
// small buffer for a few seconds, and never more than `halfOpenMax` of them at a time.
//
//   caller                                    listener
//     greeting ◄───────────────────────────►             (greeting.ts)
//     link  lane  from  to  received  ──────►             five 32-bit integers
//                                     ◄──────   answer  received        0: go on behind those frames; 1: no such link
//     frames ◄─────────────────────────────► frames
//
// On the worker's thread, which owns the sockets.

import type { Server, Socket } from 'node:net';
import type { Clock } from '../../clock.js';
import { failure, reasonOf } from '../../errors.js';
import { PROTOCOL_VERSION } from '../../codec/data-frame.js';
import type { TcpLinkLimits } from '../../limits.js';
import { greetAsCaller, greetAsListener, Intake, type Greeted, type GreetingKey } from './greeting.js';
import type { TcpLane } from './lane.js';
import { listenOn, type PortRange } from './listen.js';
import { dial, listener, type TlsIdentity } from './secure.js';
import { TcpWire, type Connected, type TcpAddress, type TcpPeer, type WireKeeper } from './tcp-wire.js';

const PURPOSE = 'millrace link';
const WANT_BYTES = 20;
const REPLY_BYTES = 8;
const GO_ON = 0;
const NO_SUCH_LINK = 1;

export interface TcpEndpointOptions {
  /** Which worker this is. */
  readonly worker: number;
  /** The address of this machine to listen on. */
  readonly host: string;
  readonly ports: PortRange;
  readonly tls: TlsIdentity | null;
  /** What all workers of this run know, and nobody else. */
  readonly token: string;
  /** Where other workers listen, as far as that is known. */
  readonly addresses: Iterable<readonly [worker: number, address: TcpAddress]>;
  readonly limits: TcpLinkLimits;
  /** The machine's clock but in tests of links: sockets know no other. */
  readonly clock: Clock;
}

export class TcpEndpoint implements WireKeeper {
  readonly clock: Clock;
  readonly limits: TcpLinkLimits;
  /** Connections that were closed because they could not prove who they are. */
  strangers = 0;
  private readonly options: TcpEndpointOptions;
  private readonly key: GreetingKey;
  private readonly addresses: Map<number, TcpAddress>;
  private readonly wires = new Map<number, TcpWire>();
  private readonly halfOpen = new Set<Socket>();
  private readonly calling = new Set<Socket>();
  private server: Server | null = null;
  private isClosed = false;

  constructor(options: TcpEndpointOptions) {
    this.options = options;
    this.clock = options.clock;
    this.limits = options.limits;
    this.key = { key: options.token, purpose: PURPOSE };
    this.addresses = new Map(options.addresses);
  }

  /**
   * Listens on a port of its range that is free.
   *
   * @throws MILLRACE_LINK_LISTEN
   */
  async listen(): Promise<TcpAddress> {
    const { host, ports, tls, limits } = this.options;
    const server = listener(tls, limits.handshakeMs, (socket) => void this.admit(socket));
    this.server = server;
    try {
      return { host, port: await listenOn(server, host, ports) };
    } catch (error) {
      throw failure('MILLRACE_LINK_LISTEN', { host, reason: reasonOf(error) }, { cause: error });
    } finally {
      if (this.isClosed) server.close();
    }
  }

  /** The wire to another worker; it carries nothing until it is opened. */
  wire(peer: TcpPeer): TcpWire {
    return new TcpWire(peer, this);
  }

  /** That worker listens there now. */
  reach(worker: number, address: TcpAddress): void {
    this.addresses.set(worker, address);
    for (const wire of this.wires.values()) if (wire.peer.worker === worker) wire.reach();
  }

  /** Listens no more; its wires are closed by whom they belong to. */
  close(): void {
    this.isClosed = true;
    this.server?.close();
    for (const socket of [...this.halfOpen, ...this.calling]) socket.destroy();
  }

  addressOf(worker: number): TcpAddress | null {
    return this.addresses.get(worker) ?? null;
  }

  opened(wire: TcpWire): void {
    this.wires.set(wire.peer.link, wire);
  }

  closed(wire: TcpWire): void {
    if (this.wires.get(wire.peer.link) === wire) this.wires.delete(wire.peer.link);
  }

  async connect(wire: TcpWire, lane: TcpLane, address: TcpAddress): Promise<Connected> {
    if (this.isClosed) return 'again';
    const socket = dial(this.options.tls, address);
    return await this.withDeadline(socket, this.calling, async (intake) => {
      const greeted = await greetAsCaller(intake, this.key);
      if (greeted !== 'greeted') return refusalOf(greeted);
      const { link, worker } = wire.peer;
      socket.write(intsOf(link, lane.kind, this.options.worker, worker, lane.received));
      const reply = await intake.take(REPLY_BYTES);
      if (reply === null) return 'again';
      if (reply.readInt32LE(0) !== GO_ON) return 'unknown';
      intake.end();
      lane.attach(socket, reply.readInt32LE(4));
      if (lane.attached) wire.attached(lane);
      return 'attached';
    });
  }

  private async admit(socket: Socket): Promise<void> {
    const [oldest] = this.halfOpen;
    if (oldest !== undefined && this.halfOpen.size >= this.limits.halfOpenMax) oldest.destroy();
    await this.withDeadline(socket, this.halfOpen, async (intake) => {
      const greeted = await greetAsListener(intake, this.key);
      if (greeted !== 'greeted') {
        this.strangers++;
        return refusalOf(greeted);
      }
      const want = await intake.take(WANT_BYTES);
      intake.end();
      return want === null ? 'again' : this.answer(socket, want);
    });
  }

  private answer(socket: Socket, want: Buffer): Connected {
    const [link, kind, from, to, received] = [0, 4, 8, 12, 16].map((at) => want.readInt32LE(at));
    const wire = this.wires.get(link!);
    const lane = wire?.lane(kind!) ?? null;
    if (wire === undefined || lane === null || wire.peer.worker !== from || this.options.worker !== to) {
      socket.end(intsOf(NO_SUCH_LINK, 0));
      return 'again';
    }
    socket.write(intsOf(GO_ON, lane.received));
    lane.attach(socket, received!);
    if (lane.attached) wire.attached(lane);
    return 'attached';
  }

  /** Follows a socket until it is attached; one that is not by its deadline, or never will be, is closed. */
  private async withDeadline(
    socket: Socket,
    among: Set<Socket>,
    greet: (intake: Intake) => Promise<Connected>,
  ): Promise<Connected> {
    // What breaks a socket is told by its end.
    socket.on('error', () => undefined);
    socket.setKeepAlive(true);
    among.add(socket);
    socket.once('close', () => among.delete(socket));
    const deadline = this.clock.after(this.limits.handshakeMs, () => socket.destroy());
    let connected: Connected = 'again';
    try {
      connected = await greet(new Intake(socket));
    } finally {
      deadline.cancel();
      among.delete(socket);
      if (connected !== 'attached') closeSoon(socket);
    }
    return connected;
  }
}

/** A socket that is being ended still says what was written to it; nobody waits for the rest. */
function closeSoon(socket: Socket): void {
  if (socket.writableEnded) socket.destroySoon();
  else socket.destroy();
}

function refusalOf(greeted: Exclude<Greeted, 'greeted'>): Connected {
  if (typeof greeted === 'string') return 'again';
  const { message } = failure('MILLRACE_LINK_VERSION', { own: PROTOCOL_VERSION, other: greeted.version });
  return { refused: message };
}

function intsOf(...ints: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * ints.length);
  ints.forEach((value, index) => bytes.writeInt32LE(value, index * 4));
  return bytes;
}
