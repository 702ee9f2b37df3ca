// The ports between workers: two pairs for each two of them, one for data and one for acks and credit. On the main
// thread, which makes them and gives both ends away.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { PeerPorts } from './messages.js';

/** After its thread has ended, what a control port may take to say so. */
const PORT_CLOSE_TIMEOUT_MS = 1_000;

/** A port's other end is closed, and all that came before was delivered. */
export function closed(port: MessagePort, ended: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    port.once('close', resolve);
    // A thread that died before it took its end of the port over leaves nobody to close it.
    void ended.then(() => setTimeout(resolve, PORT_CLOSE_TIMEOUT_MS).unref());
  });
}

/** For each worker its ports to every other one. */
export function meshOf(workers: number): PeerPorts[][] {
  const mesh: PeerPorts[][] = Array.from({ length: workers }, () => []);
  for (let a = 0; a < workers; a++) {
    for (let b = a + 1; b < workers; b++) {
      const { first, second } = pairOf(a, b);
      mesh[a]!.push(first);
      mesh[b]!.push(second);
    }
  }
  return mesh;
}

/** The ports between two workers: those for the first lead to the second, and back. */
export function pairOf(first: number, second: number): Record<'first' | 'second', PeerPorts> {
  const data = new MessageChannel();
  const control = new MessageChannel();
  return {
    first: { worker: second, data: data.port1, control: control.port1 },
    second: { worker: first, data: data.port2, control: control.port2 },
  };
}
