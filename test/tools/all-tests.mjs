// Runs compiled test files, each in a process of its own, and writes tap: what `tap run` does, without the module hooks
// that it puts into every process and thread that a test starts. Those double the time of a test with workers, and
// a thread that is ended while its hooks wait may hold its process for ever.
//   node test/tools/all-tests.mjs dist/test/a.test.js dist/test/folder

import { existsSync, readdirSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import t from 'tap';

/** Files run side by side; those below SERIAL start processes of their own, and run one at a time. */
const JOBS = 2;
const SERIAL = ['dist/test/system', 'dist/test/api'];
/** For one file; the slowest takes half of it. */
const TIMEOUT_SECONDS = 240;

const preload = new URL('./property-seed.mjs', import.meta.url).href;
const files = process.argv.slice(2).flatMap(filesOf).sort();
const serial = files.filter((file) => SERIAL.some((folder) => file.startsWith(`${folder}/`)));
const parallel = files.filter((file) => !serial.includes(file));

t.setTimeout(0);
t.jobs = JOBS;
await Promise.all(parallel.map((file) => run(file, true)));
for (const file of serial) await run(file, false);

function run(file, buffered) {
  const args = ['--enable-source-maps', `--import=${preload}`, file];
  // Each process ends itself at its timeout, and says what it waited for; this one's is for those that cannot.
  const env = { ...process.env, TAP_TIMEOUT: String(TIMEOUT_SECONDS) };
  const timeout = (TIMEOUT_SECONDS + 10) * 1000;
  return t.spawn(process.execPath, args, { name: file, buffered, timeout, env, at: null, stack: '' });
}

function filesOf(place) {
  if (!existsSync(place)) t.bailout(`there is no "${place}"`);
  if (statSync(place).isFile()) return [relative('', place)];
  const names = readdirSync(place, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.test.js')).map((name) => `${relative('', place)}/${name}`);
}
