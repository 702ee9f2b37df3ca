// A wire of two MessagePorts, between two threads of one process. Frames are transferred, not copied. What is under way
// when a thread dies is lost without trace; the supervisor's rewiring makes up for that.

import type { MessagePort } from 'node:worker_threads';
import type { Frame, Wire, WireReceiver } from './wire.js';

/** The two ports of one end. */
export interface WirePorts {
  readonly data: MessagePort;
  readonly control: MessagePort;
}

export class PortWire implements Wire {
  private readonly ports: WirePorts;

  constructor(ports: WirePorts) {
    this.ports = ports;
  }

  open(receiver: WireReceiver): void {
    this.ports.control.on('message', (frame: Uint8Array) => receiver.control(frame));
    this.ports.data.on('message', (frame: Uint8Array) => receiver.data(frame));
  }

  sendData(frame: Frame): void {
    this.ports.data.postMessage(frame, [frame.buffer]);
  }

  sendControl(frame: Frame): void {
    this.ports.control.postMessage(frame, [frame.buffer]);
  }

  close(): void {
    // A closing port still hands on what has come.
    this.ports.data.removeAllListeners('message');
    this.ports.control.removeAllListeners('message');
    this.ports.data.close();
    this.ports.control.close();
  }
}
