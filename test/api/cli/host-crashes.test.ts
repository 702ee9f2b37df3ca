// Which topologies are suspected of the crashes of a host process.

import t from 'tap';
import { HostCrashes, isCrash } from '../../../api/cli/host-crashes.js';
import { HOST_CRASHES_MAX, HOST_CRASHES_WINDOW_MS } from '../../../engine/limits.js';

t.test('who ran at each of the last ones is suspected', async (t) => {
  const crashes = new HostCrashes();
  crashes.add(0, ['a', 'b', 'c']);
  crashes.add(1, ['b', 'c', 'd']);
  t.strictSame(crashes.suspects, [], 'not yet');
  crashes.add(2, ['c', 'b']);
  t.strictSame(crashes.suspects, ['b', 'c']);
  crashes.add(3, ['d', 'c']);
  t.strictSame(crashes.suspects, ['c'], 'only the last ones count');
  crashes.add(4, []);
  t.strictSame(crashes.suspects, []);
});

t.test('crashes that are far apart accuse nobody', async (t) => {
  const crashes = new HostCrashes();
  for (let n = 0; n < HOST_CRASHES_MAX - 1; n++) crashes.add(n, ['a']);
  crashes.add(HOST_CRASHES_WINDOW_MS + 1, ['a']);
  t.strictSame(crashes.suspects, []);
  crashes.add(HOST_CRASHES_WINDOW_MS + 2, ['a']);
  crashes.add(HOST_CRASHES_WINDOW_MS + 3, ['a']);
  t.strictSame(crashes.suspects, ['a']);
});

t.test('a process that was killed, or ended, did not crash', async (t) => {
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT', null] as const) t.notOk(isCrash(signal), String(signal));
  for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGBUS'] as const) t.ok(isCrash(signal), signal);
});
