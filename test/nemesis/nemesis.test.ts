// A short nemesis run: some faults of each kind, in a fixed order. The long one is `npm run nemesis`.

import t from 'tap';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { guardedDirectory } from '../coordination/ensemble/running.js';
import { holdsOf, of } from './check.js';
import { nemesisReport, runNemesis } from './nemesis-run.js';

t.setTimeout(150_000);

void t.test('under some faults, nothing is held twice, written late, lost or left hanging', async (t) => {
  const ensembleDirectory = guardedDirectory(t);
  const directory = join(dirname(ensembleDirectory), 'logs');
  mkdirSync(directory);
  const result = await runNemesis({
    directory,
    ensembleDirectory,
    sessionTimeoutMs: 2_000,
    seconds: 0,
    seed: 1,
    faults: [
      'kill the leading process',
      'black hole around the leading process',
      'kill the leading server',
      'stop the leading process',
    ],
    // A machine that runs other tests is late for its own reasons; only what hangs is told.
    graceMs: 30_000,
    say: (line) => t.comment(line),
  });
  t.comment(nemesisReport(result));
  t.strictSame(result.violations, []);
  const { events } = result;
  t.ok(new Set(holdsOf(events, 'leader').map(({ token }) => token)).size > 1, 'others led, one after the other');
  t.ok(holdsOf(events, 'lock').length > 1);
  for (const type of ['wrote', 'saw', 'answered', 'quiet'] as const) t.ok(of(events, type).length > 0, type);
  t.equal(of(events, 'exited').filter(({ code }) => code === 0).length, 3, 'three have left by themselves');
});
