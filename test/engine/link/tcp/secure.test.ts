// Links with certificates on both sides and on ports of a range: they carry as others do, and nobody gets in without a
// certificate of the same authority.

import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { RealClock } from '../../../../engine/clock.js';
import { tcpLinkLimits } from '../../../../engine/limits.js';
import { TcpEndpoint, type TcpEndpointOptions } from '../../../../engine/link/tcp/endpoint.js';
import { listenOn } from '../../../../engine/link/tcp/listen.js';
import { dial, listener } from '../../../../engine/link/tcp/secure.js';
import { identity, stranger } from './certificates.js';
import { frameOf, numberOf, Taken, token } from './ends.js';

function endpoint(worker: number, more: Partial<TcpEndpointOptions>): TcpEndpoint {
  const limits = { ...tcpLinkLimits, retryMinMs: 1, retryMaxMs: 4 };
  const base = { worker, host: '127.0.0.1', ports: null, tls: null, token, addresses: [], limits };
  return new TcpEndpoint({ ...base, clock: new RealClock(), ...more });
}

t.test('frames go both ways over TLS', async (t) => {
  const [near, far] = [endpoint(1, { tls: identity }), endpoint(0, { tls: identity })];
  const address = await far.listen();
  const [atNear, atFar] = [new Taken(), new Taken()];
  const wires = [near.wire({ link: 7, worker: 0, connects: true }), far.wire({ link: 7, worker: 1, connects: false })];
  wires[1]!.open(atFar);
  wires[0]!.open(atNear);
  near.reach(0, address);
  for (let number = 0; number < 50; number++) {
    wires[0]!.sendData(frameOf(number, 100_000));
    wires[1]!.sendControl(frameOf(number));
  }
  await atFar.until(() => atFar.dataFrames.length === 50);
  await atNear.until(() => atNear.controlFrames.length === 50);
  t.strictSame(atFar.dataFrames.map(numberOf), [...Array(50).keys()]);
  t.strictSame(atNear.controlFrames.map(numberOf), [...Array(50).keys()]);
  for (const wire of wires) wire.close();
  for (const each of [near, far]) each.close();
});

t.test('who shows no certificate of the authority, or none at all, is turned away', async (t) => {
  const admitted: Socket[] = [];
  const server = listener(identity, 1_000, (socket) => admitted.push(socket));
  const port = await listenOn(server, '127.0.0.1', null);
  const address = { host: '127.0.0.1', port };
  const plain = connect(address);
  plain.write('GET / HTTP/1.1\r\n\r\n');
  const callers = [
    // It trusts the server, which does not trust it.
    dial({ ...stranger, ca: identity.ca }, address),
    connectTls({ ...address, ca: identity.ca, checkServerIdentity: () => undefined }),
    plain,
  ];
  for (const caller of callers) {
    caller.on('error', () => undefined);
    caller.resume();
    if (!caller.closed) await new Promise((resolve) => caller.once('close', resolve));
  }
  t.equal(admitted.length, 0);
  const friend = dial(identity, address);
  const arrived = new Promise<Socket>((resolve) => server.once('secureConnection', resolve));
  t.ok(await arrived, 'who belongs is let in');
  friend.destroy();
  server.close();
});

t.test('a server that does not belong is not trusted', async (t) => {
  const server = listener(stranger, 1_000, () => undefined);
  const port = await listenOn(server, '127.0.0.1', null);
  const caller = dial(identity, { host: '127.0.0.1', port });
  const error = await new Promise<Error>((resolve) => caller.once('error', resolve));
  t.match(error.message, /certificate|signature|issuer/);
  server.close();
});

t.test('ports of a range are taken one after the other, until there are no more', async (t) => {
  const servers = Array.from({ length: 4 }, () => listener(null, 1_000, () => undefined));
  t.teardown(() => servers.forEach((server) => server.close()));
  // A place where three in a row are free.
  const base = await freeRow(3);
  const range = [base, base + 2] as const;
  const ports: number[] = [];
  for (const server of servers.slice(0, 3)) ports.push(await listenOn(server, '127.0.0.1', range));
  t.strictSame(ports, [base, base + 1, base + 2]);
  await t.rejects(listenOn(servers[3]!, '127.0.0.1', range), { code: 'EADDRINUSE' });
  const full = endpoint(0, { ports: range });
  await t.rejects(full.listen(), { code: 'MILLRACE_LINK_LISTEN', message: /EADDRINUSE/ });
});

/** The first of so many ports in a row that nobody has. */
async function freeRow(count: number): Promise<number> {
  for (;;) {
    const probes = Array.from({ length: count }, () => listener(null, 1_000, () => undefined));
    try {
      const first = await listenOn(probes[0]!, '127.0.0.1', null);
      for (const [at, probe] of probes.entries()) {
        if (at > 0) await listenOn(probe, '127.0.0.1', [first + at, first + at]);
      }
      return first;
    } catch {
      // Somebody has one of them.
    } finally {
      for (const probe of probes) {
        if ((probe.address() as AddressInfo | null) === null) continue;
        await new Promise((resolve) => probe.close(resolve));
      }
    }
  }
}
