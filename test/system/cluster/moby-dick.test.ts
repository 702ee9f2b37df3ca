// Three hosts read a part of Moby-Dick together, while each of them is killed once: every line number reaches the sink.
// The whole book, and a death every ten seconds, is `npm run faults -- moby-dick`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runningEnsemble } from '../../coordination/ensemble/running.js';
import { poll } from '../host-command.js';
import { bookLines, HOSTS } from './book.js';
import { HostCluster } from './hosts.js';
import { readTogether } from './moby-dick.js';

t.setTimeout(150_000);

const LINES = 4000;

t.test('a book is read while one host after the other dies', async (t) => {
  const ensemble = await runningEnsemble(t);
  const directory = t.testdir({});
  const text = join(directory, 'text');
  writeFileSync(text, bookLines().slice(0, LINES).join('\n'));
  const cluster = await HostCluster.start(t, ensemble, directory, HOSTS);
  let marks = 0;
  const { deaths, duplicates, ...rest } = await readTogether(cluster, {
    text,
    rate: 500,
    lines: LINES,
    // Each time that another quarter was seen.
    next: async (seen) => {
      marks++;
      await poll(() => seen() >= Math.ceil((marks * LINES) / (HOSTS.length + 1)));
    },
  });
  t.strictSame(rest, { records: LINES, lost: 0, twice: [], state: 'completed', told: [] });
  t.strictSame(
    deaths.map(({ host }) => host),
    HOSTS.map(({ name }) => name),
  );
  t.ok(
    deaths.some(({ wasMaster }) => wasMaster),
    'the master was among them',
  );
  t.ok(
    deaths.some(({ spouts }) => spouts > 0),
    'and the host of a spout',
  );
  t.comment(`${duplicates} of ${LINES} lines came again`);
});
