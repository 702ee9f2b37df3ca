// `npm run properties`: the files that hold property tests, over and over, each time with a fresh seed; `npm test` runs
// them once with a fixed one. What fails is printed with what fast-check says (the smallest case, its seed and path)
// and the command that repeats it exactly.
//   npm run properties                                          all of them, for five minutes
//   npm run properties -- --seconds 60 test/engine/plan         those below a folder, or one file
//   npm run properties -- --seed 42 test/engine/x.test.ts       once, with that seed
// Each file has at least one run, however short the time. A file that failed is not run again.

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const preload = new URL('./property-seed.mjs', import.meta.url).href;
/** One run of one file; far above what any takes. */
const RUN_MS_MAX = 300_000;
const OUTPUT_CHARACTERS_MAX = 20_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '300' }, seed: { type: 'string' }, jobs: { type: 'string' } },
});
const seconds = numberOf('seconds', values.seconds);
const seed = values.seed === undefined ? null : numberOf('seed', values.seed);
const jobs = values.jobs === undefined ? availableParallelism() : numberOf('jobs', values.jobs);
const files = propertyFiles(positionals);
if (files.length === 0) end(2, 'no file with a property test there');

const untilMs = performance.now() + seconds * 1000;
const failed = new Set();
const runs = new Map(files.map((file) => [file, 0]));
let at = 0;
await Promise.all(Array.from({ length: Math.max(1, jobs) }, worker));
const total = [...runs.values()].reduce((sum, count) => sum + count, 0);
console.log(`${total} runs of ${files.length} files, ${failed.size} failed`);
process.exitCode = failed.size === 0 ? 0 : 1;

async function worker() {
  for (let file = next(); file !== null; file = next()) {
    runs.set(file, runs.get(file) + 1);
    const used = seed ?? randomInt(1, 2 ** 31);
    const { code, output } = await run(file, used);
    if (code === 0) continue;
    failed.add(file);
    const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
    console.log(`FAILED  ${source}, seed ${used} (exit code ${code})`);
    console.log(output.length <= OUTPUT_CHARACTERS_MAX ? output : `${output.slice(0, OUTPUT_CHARACTERS_MAX)} …`);
    console.log(`again:  npm run properties -- --seed ${used} ${source}\n`);
  }
}

/** The files in turn: once each, then again until the time is over. */
function next() {
  for (let tries = 0; tries < files.length; tries++) {
    if (at >= files.length && (seed !== null || performance.now() >= untilMs)) return null;
    const file = files[at++ % files.length];
    if (!failed.has(file)) return file;
  }
  return null;
}

/** What failed, without the lines of what passed. */
function run(file, used) {
  const child = spawn(process.execPath, ['--enable-source-maps', `--import=${preload}`, file], {
    cwd: root,
    env: { ...process.env, PROPERTY_SEED: String(used) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS_MAX,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((done) => {
    child.on('error', (error) => done({ code: 1, output: String(error) }));
    child.on('close', (code, signal) => done({ code: code ?? signal, output: withoutPassed(output) }));
  });
}

function withoutPassed(output) {
  return output
    .split('\n')
    .filter((line) => !/^ *(ok \d|# Subtest|\d+\.\.\d+|TAP version)/.test(line))
    .join('\n');
}

/** The compiled test files that hold a property, below those places or everywhere. */
function propertyFiles(places) {
  const wanted = places.map((place) => {
    const from = relative(root, resolve(process.env.INIT_CWD ?? process.cwd(), place))
      .split(sep)
      .join('/');
    return from.replace(/^dist\//, '').replace(/\.(ts|js)$/, '');
  });
  return readdirSync(join(root, 'dist/test'), { recursive: true, encoding: 'utf8' })
    .map((name) => `dist/test/${name.split(sep).join('/')}`)
    .filter(
      (name) => name.endsWith('.test.js') && /\bfc\.(assert|check)\(/.test(readFileSync(join(root, name), 'utf8')),
    )
    .filter(
      (name) =>
        wanted.length === 0 || wanted.some((place) => isBelow(name.slice('dist/'.length, -'.js'.length), place)),
    )
    .sort();
}

function isBelow(name, place) {
  return name === place || name.startsWith(place.endsWith('/') ? place : `${place}/`);
}

function numberOf(option, text) {
  const number = Number(text);
  if (!Number.isFinite(number) || text.trim() === '') end(2, `--${option} takes a number, not "${text}"`);
  return number;
}

function end(code, message) {
  console.error(message);
  process.exit(code);
}
