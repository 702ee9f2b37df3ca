// A way to one server that can be made a black hole: bytes of both directions vanish, connections stay, and new ones
// are taken and never answered, as when a cable is cut. Healed, it cuts what it held, because its bytes are gone.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Relay {
  private readonly server: Server;
  private readonly targetPort: number;
  private readonly open = new Set<Socket>();
  private dark = false;

  private constructor(server: Server, targetPort: number) {
    this.server = server;
    this.targetPort = targetPort;
    server.on('connection', (socket) => this.accept(socket));
  }

  static async to(targetPort: number): Promise<Relay> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server, targetPort);
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  swallow(): void {
    this.dark = true;
  }

  heal(): void {
    if (!this.dark) return;
    this.dark = false;
    this.cut();
  }

  close(): void {
    this.server.close();
    this.cut();
  }

  private cut(): void {
    for (const socket of this.open) socket.destroy();
  }

  private accept(client: Socket): void {
    this.hold(client);
    if (this.dark) {
      client.resume();
      return;
    }
    const target = connect({ port: this.targetPort, host: '127.0.0.1' });
    this.hold(target);
    this.carry(client, target);
    this.carry(target, client);
  }

  private hold(socket: Socket): void {
    this.open.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.open.delete(socket));
  }

  private carry(from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      if (!this.dark && to.writable) to.write(chunk);
    });
    from.on('close', () => {
      // The end of a connection is told by bytes, too.
      if (!this.dark) to.destroy();
    });
  }
}
