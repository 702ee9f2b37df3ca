// Reports what the last full run of the tests covered, worker threads included, and fails below the thresholds. Modules
// that no test loaded count as uncovered; modules of nothing but types are left out, because they are never loaded.
//   node test/tools/coverage.mjs [--table]     the summary, or every file with its uncovered lines

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const thresholds = ['--check-coverage', '--lines=85', '--branches=80', '--functions=0', '--statements=0'];
const folders = ['engine', 'coordination', 'api'].filter((folder) => existsSync(join(root, folder)));

process.chdir(root);
prune(join('coverage', 'tmp'));
const typesOnly = folders.flatMap((folder) => sourcesIn(folder)).filter((source) => !hasCode(source));
const report = spawnSync(
  process.execPath,
  [
    'node_modules/c8/bin/c8.js',
    'report',
    '--temp-directory=coverage/tmp',
    // Some thousand processes and threads were counted: not all of it at once.
    '--merge-async',
    '--reports-dir=coverage',
    `--reporter=${process.argv.includes('--table') ? 'text' : 'text-summary'}`,
    '--all',
    '--exclude-after-remap',
    ...folders.map((folder) => `--include=${folder}/**`),
    // Copies that tests bundle and start.
    '--exclude=**/.tap/**',
    ...typesOnly.map((source) => `--exclude=${source}`),
    ...thresholds,
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
process.exitCode = report.status ?? 1;

/**
 * Each process and thread tells of every module that it read, with its source map: only our own count, and one map of
 * each is enough. It leaves a tenth of some gigabytes.
 */
function prune(directory) {
  const own = folders.map((folder) => pathToFileURL(join(root, 'dist', folder)).href + '/');
  const isOwn = (url) => own.some((start) => url.startsWith(start));
  const mapped = new Set();
  const isNew = (url) => isOwn(url) && !mapped.has(url) && mapped.add(url) !== undefined;
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    const path = join(directory, name);
    const { 'source-map-cache': maps = {}, result, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
    const kept = {
      ...rest,
      result: result.filter(({ url }) => isOwn(url)),
      'source-map-cache': Object.fromEntries(Object.entries(maps).filter(([url]) => isNew(url))),
    };
    writeFileSync(path, JSON.stringify(kept));
  }
}

function sourcesIn(folder) {
  const names = readdirSync(join(root, folder), { recursive: true });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name).replaceAll('\\', '/'));
}

/** Whether anything of the module is left once it is compiled. */
function hasCode(source) {
  const compiled = join(root, 'dist', source.replace(/\.ts$/, '.js'));
  if (!existsSync(compiled)) return true;
  const text = readFileSync(compiled, 'utf8').replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
  return text.replace(/export \{\};/g, '').trim() !== '';
}
