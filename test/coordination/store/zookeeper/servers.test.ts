// Which server is tried next and when: every one in each round, no pause before the first round is over, and never so
// long that a session would run out.

import fc from 'fast-check';
import t from 'tap';
import { Servers } from '../../../../coordination/store/zookeeper/servers.js';
import { Random } from '../../../../engine/random.js';

const addresses = ['a', 'b', 'c'].map((host) => ({ host, port: 2181 }));

void t.test('rounds over all servers, with pauses and patience that grow', async (t) => {
  const servers = new Servers(addresses, new Random(3));
  const rounds = Array.from({ length: 8 }, () => addresses.map(() => servers.next(null)));
  for (const round of rounds) t.strictSame(round.map(({ server }) => server.host).sort(), ['a', 'b', 'c']);
  t.strictSame(
    rounds.map((round) => round[0]!.greetingMs),
    [1500, 3000, 6000, 10_000, 10_000, 10_000, 10_000, 10_000],
  );
  for (const { pauseMs } of rounds[0]!) t.equal(pauseMs, 0);
  for (const [round, longest] of [50, 100, 200, 400, 800, 1000, 1000].entries()) {
    for (const { pauseMs } of rounds[round + 1]!) t.ok(pauseMs >= longest / 2 && pauseMs <= longest, String(pauseMs));
  }
  servers.lasted();
  t.equal(servers.next(null).pauseMs, 0, 'a connection that lasted begins anew');
  const orders = [1, 2, 3, 4, 5, 6].map((seed) => new Servers(addresses, new Random(seed)).next(null).server.host);
  t.ok(new Set(orders).size > 1, 'clients spread');
});

void t.test('a round over servers that say nothing leaves a session of one second and more alive', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 60_000 }), fc.integer({ min: 1, max: 3 }), (timeoutMs, count) => {
      const servers = new Servers(addresses.slice(0, count), new Random(timeoutMs));
      const dials = addresses.slice(1, count).map(() => servers.next(timeoutMs));
      const tookMs = dials.reduce((sum, { pauseMs, greetingMs }) => sum + pauseMs + greetingMs, 0);
      return tookMs <= Math.max(timeoutMs / 3, 500) && servers.next(timeoutMs).pauseMs === 0;
    }),
  );
  t.pass('always');
});
