// What a worker says is taken from it as fast as it can be written out, and no faster.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { OUTPUT_CHARACTERS_MAX } from '../../../engine/limits.js';
import { silentLogger } from '../../../engine/log.js';
import { describe } from '../../../engine/model/describe.js';
import { Backlog } from '../../../engine/worker/backlog.js';
import { loadTopology, type TopologySource } from '../../../engine/worker/module.js';
import { TopologyRun } from '../../../engine/worker/topology-run.js';
import { LINE_LENGTH, LINES } from './topologies/talking.js';

t.test('one that writes lines faster than they are read is held up, and none is lost', async (t) => {
  const file = join(t.testdir({ said: '0' }), 'said');
  const url = new URL('./topologies/talking.js', import.meta.url);
  url.searchParams.set('file', file);
  const source: TopologySource = { kind: 'module', url: url.href, settings: {} };
  const lines: string[] = [];
  let aheadMax = 0;
  const run = new TopologyRun({
    source,
    description: describe(await loadTopology(source)),
    workers: 1,
    logger: silentLogger,
    // A slow reader: how slow changes nothing for a worker that waits.
    print: async (line) => {
      if (lines.length % 20 === 0) await pause(1);
      aheadMax = Math.max(aheadMax, Number(readFileSync(file, 'utf8')) - lines.length);
      lines.push(line);
    },
  });
  await run.start();
  t.match(await run.completed, { status: 'completed' });
  t.strictSame(
    lines.slice(0, LINES).map((line) => Number.parseInt(line, 10)),
    Array.from({ length: LINES }, (_, n) => n),
  );
  t.equal(lines[LINES]?.length, 1_500_000);
  t.ok(aheadMax <= OUTPUT_CHARACTERS_MAX / LINE_LENGTH + 1, `it was ahead by ${aheadMax} lines`);
});

t.test('what is below the limit holds nobody up', async () => {
  const backlog = new Backlog();
  backlog.add(OUTPUT_CHARACTERS_MAX);
  backlog.taken(1);
  backlog.add(1);
});
