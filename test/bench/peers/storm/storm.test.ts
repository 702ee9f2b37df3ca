// The peer `storm` where Java or Maven is missing: it says what to install, before anything is measured for long.

import t from 'tap';
import { bench } from '../../kit.js';
import { stormHas, stormSide } from './storm.js';

t.test('without Java', async (t) => {
  const args = ['words/one/tracked', '--peer', 'storm', '--seconds', '0.1', '--warm-up', '0.1', '--rounds', '1'];
  const { code, stderr } = await bench(t, args, { ...process.env, PATH: t.testdir() });
  t.equal(code, 1);
  t.equal(stderr, 'the peer "storm" needs Java 17 or later (Debian: apt-get install openjdk-17-jdk-headless)\n');
});

t.test('knows the three topologies, tracked and not, with one worker and with two', (t) => {
  for (const topology of ['null', 'id', 'words']) t.ok(stormHas(topology), topology);
  t.notOk(stormHas('flights'));
  const name = (tracked: boolean, workers: number): string =>
    stormSide({ topology: 'words', tracked, workers, rate: 0 }).name;
  t.equal(name(true, 1), 'storm, tracked');
  t.equal(name(false, 2), 'storm, untracked, 2 workers');
  t.end();
});
