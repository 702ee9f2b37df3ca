// What tests of TCP links share: endpoints on loopback, a wire's received frames, and a proxy in the middle that cuts.

import { createServer, connect, type Server, type Socket } from 'node:net';
import { RealClock, type Clock } from '../../../../engine/clock.js';
import { tcpLinkLimits, type TcpLinkLimits } from '../../../../engine/limits.js';
import { TcpEndpoint } from '../../../../engine/link/tcp/endpoint.js';
import type { TcpAddress } from '../../../../engine/link/tcp/tcp-wire.js';
import type { Frame, Wire, WireReceiver } from '../../../../engine/link/wire.js';

export const token = 'a token that both ends know';

/** An endpoint that tries again at once. */
export function endpointOf(
  worker: number,
  limits: Partial<TcpLinkLimits> = {},
  clock: Clock = new RealClock(),
): TcpEndpoint {
  return new TcpEndpoint({
    worker,
    ...{ host: '127.0.0.1', ports: null, tls: null },
    token,
    addresses: [],
    limits: { ...tcpLinkLimits, retryMinMs: 1, retryMaxMs: 4, ...limits },
    clock,
  });
}

/** Keeps what a wire brings, and lets a test wait for it. */
export class Taken implements WireReceiver {
  readonly dataFrames: Uint8Array[] = [];
  readonly controlFrames: Uint8Array[] = [];
  readonly reasons: string[] = [];
  private waiting: (() => void)[] = [];

  data(frame: Uint8Array): void {
    this.dataFrames.push(frame);
    this.moved();
  }

  control(frame: Uint8Array): void {
    this.controlFrames.push(frame);
    this.moved();
  }

  lost(reason: string): void {
    this.reasons.push(reason);
    this.moved();
  }

  /** Waits until that holds; looked at with each thing that comes. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private moved(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Two open wires with what came over them. */
export interface WirePair {
  readonly near: Wire;
  readonly far: Wire;
  readonly atNear: Taken;
  readonly atFar: Taken;
  close(): void;
}

/** A frame that says which it is, `bytes` long. */
export function frameOf(number: number, bytes = 8): Frame {
  const frame = new Uint8Array(bytes);
  const view = new DataView(frame.buffer);
  view.setInt32(0, number, true);
  for (let at = 4; at < bytes; at++) frame[at] = (number * 31 + at) & 255;
  return frame;
}

/** Which frame that is; throws when its bytes are not those that were sent. */
export function numberOf(frame: Uint8Array): number {
  const number = new DataView(frame.buffer, frame.byteOffset).getInt32(0, true);
  for (let at = 4; at < frame.length; at++) {
    if (frame[at] !== ((number * 31 + at) & 255)) throw new Error(`frame ${number} is spoilt at byte ${at}`);
  }
  return number;
}

export interface TcpPair extends WirePair {
  /** It connects. */
  readonly caller: TcpEndpoint;
  readonly listener: TcpEndpoint;
  readonly address: TcpAddress;
}

/** Worker 1 connects to worker 0, through `between` where it leads. */
export async function tcpPair(
  options: {
    readonly limits?: Partial<TcpLinkLimits>;
    readonly clock?: Clock;
    readonly between?: (address: TcpAddress) => Promise<TcpAddress>;
    readonly open?: boolean;
  } = {},
): Promise<TcpPair> {
  const { limits = {}, clock = new RealClock(), between = (address) => Promise.resolve(address) } = options;
  const listener = endpointOf(0, limits, clock);
  const caller = endpointOf(1, limits, clock);
  const address = await listener.listen();
  const far = listener.wire({ link: 7, worker: 1, connects: false });
  const near = caller.wire({ link: 7, worker: 0, connects: true });
  const atNear = new Taken();
  const atFar = new Taken();
  if (options.open !== false) {
    far.open(atFar);
    near.open(atNear);
  }
  caller.reach(0, await between(address));
  const close = (): void => {
    for (const wire of [near, far]) wire.close();
    for (const endpoint of [caller, listener]) endpoint.close();
  };
  return { near, far, atNear, atFar, close, caller, listener, address };
}

/** Stands between caller and listener, and cuts connections after so many bytes of both directions. */
export class CuttingProxy {
  readonly connections = new Set<Socket>();
  cuts = 0;
  private readonly cutAfter: () => number;
  private server: Server | null = null;
  private refusing = false;

  /** @param cutAfter - asked for each connection: after how many bytes it is cut */
  constructor(cutAfter: () => number) {
    this.cutAfter = cutAfter;
  }

  async listen(target: TcpAddress): Promise<TcpAddress> {
    const server = createServer((socket) => this.pass(socket, target));
    this.server = server;
    return await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        if (address !== null && typeof address === 'object') resolve({ host: '127.0.0.1', port: address.port });
      });
    });
  }

  /** Cuts all that there is; nobody gets through any more. */
  cutForGood(): void {
    this.refusing = true;
    for (const socket of this.connections) socket.destroy();
  }

  close(): void {
    this.cutForGood();
    this.server?.close();
  }

  private pass(inbound: Socket, target: TcpAddress): void {
    inbound.on('error', () => undefined);
    if (this.refusing) {
      inbound.destroy();
      return;
    }
    const outbound = connect(target);
    outbound.on('error', () => undefined);
    let left = this.cutAfter();
    const cut = (): void => {
      inbound.destroy();
      outbound.destroy();
    };
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      this.connections.add(from);
      from.on('close', () => {
        this.connections.delete(from);
        to.destroy();
      });
      from.on('data', (chunk: Buffer) => {
        const passed = chunk.subarray(0, left);
        left -= chunk.length;
        to.write(passed, () => {
          if (left > 0) return;
          this.cuts++;
          cut();
        });
      });
    }
  }
}
