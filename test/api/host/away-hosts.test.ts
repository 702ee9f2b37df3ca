// Hosts that a lead does not reach: told when they are others, and forgotten in time.

import t from 'tap';
import { AwayHosts } from '../../../api/host/away-hosts.js';
import { VirtualClock } from '../../../engine/clock.js';
import { HOST_AWAY_FORGOTTEN_MS } from '../../../engine/limits.js';

t.test('each change is told once', async (t) => {
  const clock = new VirtualClock();
  const told: (readonly string[])[] = [];
  const hosts = new AwayHosts(clock, (away) => told.push(away));
  hosts.set('a', true);
  hosts.set('b', false);
  hosts.set('a', true);
  hosts.set('b', true);
  hosts.set('a', false);
  t.strictSame(told, [['a'], ['a', 'b'], ['b']]);
});

t.test('one that nobody looks for is forgotten; one that is said again is not', async (t) => {
  const clock = new VirtualClock();
  const told: (readonly string[])[] = [];
  const hosts = new AwayHosts(clock, (away) => told.push(away));
  hosts.set('a', true);
  hosts.set('b', true);
  clock.step(HOST_AWAY_FORGOTTEN_MS - 1);
  hosts.set('b', true);
  clock.step(HOST_AWAY_FORGOTTEN_MS);
  t.strictSame(told.at(-1), ['b']);
  hosts.close();
  t.equal(clock.nextDueMs(), undefined, 'no timer is left');
});
