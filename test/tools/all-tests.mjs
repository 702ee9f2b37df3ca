// Runs compiled test files, each in a process of its own, and writes tap: what `tap run` does, without what that adds
// to every process and thread that a test starts. Its module hooks double the time of a test with workers, a thread
// that is ended while its hooks wait may hold its process for ever, and they take coverage out of the hands of Node.
//   node test/tools/all-tests.mjs dist/test/a.test.js dist/test/folder

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { relative } from 'node:path';

/** Files run side by side; those below SERIAL start processes of their own, and run one at a time. */
const JOBS = 2;
const SERIAL = ['dist/test/system'];
/** For one file; the slowest takes half of it. */
const TIMEOUT_SECONDS = 240;
/** Each process ends itself at its timeout, and says what it waited for; those that cannot are killed so much later. */
const KILLED_AFTER_MS = (TIMEOUT_SECONDS + 10) * 1000;

const preload = new URL('./property-seed.mjs', import.meta.url).href;
const files = process.argv.slice(2).flatMap(filesOf).sort();
const serial = files.filter((file) => SERIAL.some((folder) => file.startsWith(`${folder}/`)));
const parallel = files.filter((file) => !serial.includes(file));
let done = 0;
let failed = 0;

process.stdout.write('TAP version 14\n');
await Promise.all(Array.from({ length: JOBS }, () => runAll(parallel)));
await runAll(serial);
process.stdout.write(`1..${done}\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** Takes one file after the other off that list. */
async function runAll(list) {
  for (let file = list.shift(); file !== undefined; file = list.shift()) tell(file, await run(file));
}

/** Writes what a file said as a subtest, and how its process ended as the test point behind it. */
function tell(file, { output, seconds, ended }) {
  const isEmpty = !/^(not )?ok /m.test(output);
  const isOk = ended === 'exit code 0' && !isEmpty;
  done++;
  if (!isOk) failed++;
  const lines = output.replace(/^TAP version \d+\n/, '').replace(/^(?=.)/gm, '    ');
  const diagnostics = isOk ? '' : `  ---\n  message: ${isEmpty ? 'no test in it, ' : ''}ended with ${ended}\n  ...\n`;
  const point = `${isOk ? 'ok' : 'not ok'} ${done} - ${file} # time=${Math.round(seconds * 1000)}ms`;
  process.stdout.write(`# Subtest: ${file}\n${lines.replace(/\n?$/, '\n')}${point}\n${diagnostics}`);
}

async function run(file) {
  const startMs = performance.now();
  const child = spawn(process.execPath, ['--enable-source-maps', `--import=${preload}`, file], {
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(TIMEOUT_SECONDS) },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: KILLED_AFTER_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  const ended = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return { output, seconds: (performance.now() - startMs) / 1000, ended };
}

function filesOf(place) {
  if (!existsSync(place)) throw new Error(`there is no "${place}"`);
  if (statSync(place).isFile()) return [relative('', place)];
  const names = readdirSync(place, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.test.js')).map((name) => `${relative('', place)}/${name}`);
}
