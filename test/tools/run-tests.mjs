// `npm test`: everything that a change has to pass, in order, one line a step; the last line is `N passed, N failed`.
//   npm test                                   all steps, all tests, coverage
//   npm test -- test/engine/ack                the tests of a folder or a file (source or compiled), no other checks
//   npm test -- -g 'C26'                       the tests whose names match; further options go to tap as they are
// A step that fails counts as one failure; without a build, or without a single test, there is nothing to pass.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const coverageData = join(root, 'coverage', 'tmp');
const print = (line) => process.stdout.write(`${line}\n`);
const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

const wanted = process.argv.slice(2).map(compiledName);
const everything = wanted.length === 0;
/** Tests of these folders start ZooKeeper servers. */
const withServers = ['dist/test/api', 'dist/test/coordination', 'dist/test/system'];
let passed = 0;
let failed = 0;

process.chdir(root);
if (await step('build', npmScript('build'))) {
  if (tapIsBuilt() || (await step('tap build', ['node_modules/tap/dist/esm/run.mjs', 'build']))) {
    if (everything) {
      await step('lint', npmScript('lint'));
      await step('format', npmScript('format:check'));
      await step('boundaries', npmScript('boundaries'));
    }
    const needsServers = everything || wanted.some((name) => withServers.some((folder) => name.startsWith(folder)));
    if (needsServers) await step('zookeeper', ['test/tools/zookeeper.mjs'], true);
    await tests();
    if (everything) await step('coverage', ['test/tools/coverage.mjs'], true);
  }
}
print(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs one step; what it says is shown when it fails, or always if asked for. */
async function step(name, command, talkative = false) {
  const startMs = performance.now();
  process.stdout.write(`${name.padEnd(12)}`);
  const { code, output } = await run(command);
  print(`${code === 0 ? 'ok' : 'FAILED'}  ${seconds(startMs)}`);
  if (code !== 0) failed += 1;
  if ((code !== 0 || talkative) && output.trim() !== '') print(output.trimEnd());
  return code === 0;
}

async function tests() {
  const startMs = performance.now();
  print('tests');
  if (everything) rmSync(coverageData, { recursive: true, force: true });
  // Here and not above: a tree without node_modules still ends with the line that everyone reads.
  const { TapResults } = await import('./tap-results.mjs');
  const env = everything ? { ...process.env, NODE_V8_COVERAGE: coverageData } : process.env;
  const places = wanted.length === 0 ? ['dist/test'] : wanted;
  // With options of its own, such as -g, tap runs the files itself.
  const command = places.some((place) => place.startsWith('-'))
    ? ['node_modules/tap/dist/esm/run.mjs', 'run', '--reporter=tap', ...wanted]
    : ['test/tools/all-tests.mjs', ...places];
  const tap = spawn(process.execPath, command, {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const results = new TapResults(tap.stdout, print);
  const [code] = await Promise.all([ended(tap), results.finished]);
  passed += results.passed;
  failed += results.failed;
  if (results.failed === 0 && results.passed === 0) {
    failed += 1;
    print('no test was run');
  } else if (results.failed === 0 && code !== 0) {
    failed += 1;
    print(`tap ended with code ${code}`);
  }
  const skipped = results.skipped === 0 ? '' : `, ${results.skipped} skipped`;
  print(`${''.padEnd(12)}${results.failed === 0 ? 'ok' : 'FAILED'}  ${seconds(startMs)}${skipped}`);
}

function run(command) {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const gather = (chunk) => (output += chunk);
  child.stdout.setEncoding('utf8').on('data', gather);
  child.stderr.setEncoding('utf8').on('data', gather);
  return ended(child).then((code) => ({ code, output }));
}

/** The exit code; a signal or a command that did not start counts as 1. */
function ended(child) {
  return new Promise((done) => {
    child.on('error', () => done(1));
    child.on('close', (code) => done(code ?? 1));
  });
}

/** The command of an npm script, without a shell. */
function npmScript(name) {
  const beside = resolve(process.execPath, '../../lib/node_modules/npm/bin/npm-cli.js');
  return [process.env.npm_execpath ?? beside, 'run', '--silent', name];
}

/** Whether tap's own classes hold the plugins that .taprc asks for; `npm ci` brings them back as they were shipped. */
function tapIsBuilt() {
  const built = 'node_modules/@tapjs/test/test-built/dist/esm/index.js';
  if (!existsSync(built)) return false;
  const signature = /signature = `([^`]*)`/.exec(readFileSync(built, 'utf8'))?.[1].split('\n') ?? [];
  const plugins = readFileSync('.taprc', 'utf8').matchAll(/^ {2}- '?(!?)(@tapjs\/[\w-]+)'?$/gm);
  return [...plugins].every(([, without, name]) => signature.includes(name) === (without === ''));
}

/** The compiled counterpart of a test file or folder; anything else stays as it is. */
function compiledName(argument) {
  const source = relative(root, resolve(process.env.INIT_CWD ?? process.cwd(), argument))
    .split(sep)
    .join('/');
  if (!source.startsWith('test/')) return argument;
  if (source.endsWith('.ts')) return `dist/${source.slice(0, -3)}.js`;
  return existsSync(join(root, source)) && statSync(join(root, source)).isDirectory() ? `dist/${source}` : argument;
}
