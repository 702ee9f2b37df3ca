// A real limit of the system, instead of a disk that a test plays: a process that may not make its files longer. What
// was acknowledged before is there, what was refused is not, and without the limit the directory goes on.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { text, textOf } from './contract-kit.js';

const writer = fileURLToPath(new URL('writer.js', import.meta.url));

/** Blocks of 512 bytes, which is what POSIX counts in. */
const limited = 'unset NODE_V8_COVERAGE NODE_OPTIONS; ulimit -f 64 && exec "$@"';

const options = process.platform === 'win32' ? { skip: 'there is no such limit' } : {};
void t.test('a process that may not write more is told so, and loses nothing', options, async (t) => {
  const directory = join(t.testdir(), 'store');
  const acknowledged = new Set<number>();
  for (const round of [0, 1]) {
    const args = ['-c', limited, 'sh', process.execPath, writer, directory, String(round * 1_000_000)];
    const { status, stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8', timeout: 60_000 });
    t.not(status, 0);
    t.match(stderr, /MILLRACE_STORE_FULL/, `round ${round}`);
    for (const line of stdout.trim().split('\n').slice(1)) acknowledged.add(Number(line));
  }
  t.ok(acknowledged.size > 20, `${acknowledged.size} writes fitted`);
  const store = await EmbeddedStore.open({ directory });
  const session = await store.connect();
  for (const number of acknowledged) {
    const { data } = await session.get(`/n/${number}`);
    if (textOf(data) !== `value ${number}`.repeat(1 + (number % 50))) t.fail(`${number} is another`);
  }
  const kept = (await session.children('/n')).length;
  // Of the four that write at once, each may have one node that it was refused the number of after.
  t.ok(kept >= acknowledged.size && kept <= acknowledged.size + 8, `${kept} of ${acknowledged.size}`);
  await session.create('/more', text('x'.repeat(100_000)));
  await store.close();
  const again = await EmbeddedStore.open({ directory });
  t.equal((await (await again.connect()).get('/more')).data.byteLength, 100_000);
  await again.close();
});
