// Proves the package as a user meets it: packed, installed in an empty project outside of this one, run by its command,
// and type-checked by its declarations. Takes what is in dist; the packages that it needs come from npm's cache.

import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const windows = process.platform === 'win32';
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;

/** Outside of the checkout, or Node would find what is missing in the node_modules above. */
const outside = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-package-')));
const project = join(outside, 'project');
t.teardown(() => rmSync(outside, { recursive: true, force: true }));

const poem = 'the whale\nThe sea and the whale\n';
const expectedCounts = { the: 3, whale: 2, sea: 1, and: 1 };

const program = `import { Bolt, topology, type Emit, type Tuple } from 'millrace';
import { fileLines, fileSink } from 'millrace/connect/file';

class Split extends Bolt {
  static readonly outputs = ['word'] as const;
  override execute(tuple: Tuple<[line: string]>, emit: Emit<[word: string]>): void {
    for (const word of tuple.values[0].toLowerCase().match(/[a-z']+/g) ?? []) emit([word]);
  }
}

class Count extends Bolt {
  static readonly outputs = ['word', 'count'] as const;
  private readonly counts = new Map<string, number>();
  override execute(tuple: Tuple<[word: string]>, emit: Emit<[word: string, count: number]>): void {
    const count = (this.counts.get(tuple.values[0]) ?? 0) + 1;
    this.counts.set(tuple.values[0], count);
    emit([tuple.values[0], count]);
  }
}

export default topology('words', (t) => {
  const lines = t.spout('lines', fileLines({ path: 'poem.txt' }));
  const split = t.bolt('split', Split, { parallelism: 2 }).shuffle(lines);
  const count = t.bolt('count', Count, { parallelism: 2 }).fields(split, 'word');
  t.bolt('out', fileSink({ path: 'program.jsonl' })).global(count);
});
`;

const coordinated = `import { EmbeddedStore, isPassing, type Session, type Store } from 'millrace/coordination';

const store: Store & { close(): Promise<void> } = await EmbeddedStore.open({ directory: 'store' });
const session: Session = await store.connect();
await session.create('/a', new Uint8Array([1]), 'ephemeral', { access: [{ who: 'anyone', may: ['read'] }] });
const { data, stat } = await session.get('/a');
export const said: string = [data[0], stat.version, isPassing(null)].join(' ');
if (said !== '1 0 false') throw new Error(said);
await store.close();
`;

const document = {
  name: 'word-count',
  spouts: { lines: { type: 'file-lines', config: { path: 'poem.txt' } } },
  bolts: {
    split: { type: 'split-words', parallelism: 2, inputs: [{ from: 'lines', grouping: 'shuffle' }] },
    count: { type: 'count', parallelism: 2, inputs: [{ from: 'split', grouping: 'fields', fields: ['word'] }] },
    out: { type: 'file-sink', config: { path: 'document.jsonl' }, inputs: [{ from: 'count', grouping: 'global' }] },
  },
};

/** Runs a command as a user's shell would: without what npm and the test runner put into the environment. */
function run(command: string, args: readonly string[], cwd: string): SpawnSyncReturns<string> {
  const inherited =
    /^(npm_(lifecycle|package|command|execpath|node_execpath|config_local_prefix)|init_cwd|node_options|node_v8_coverage|tap|_tapjs)/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
  const ran = spawnSync(command, args, { cwd, env, encoding: 'utf8', shell: windows, timeout: 100_000 });
  if (ran.error !== undefined) throw ran.error;
  return ran;
}

function pack(): Packed {
  const packed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', outside], root);
  if (packed.status !== 0) throw new Error(`npm pack failed: ${packed.stderr}`);
  const [first] = JSON.parse(packed.stdout) as Packed[];
  if (first === undefined) throw new Error('npm pack packed nothing');
  return first;
}

/** The last count of each word in a file that the topology wrote. */
function countsIn(file: string): Record<string, number> {
  const rows = readFileSync(join(project, file), 'utf8').trimEnd().split('\n');
  const tuples = rows.map((row) => JSON.parse(row) as { readonly word: string; readonly count: number });
  return Object.fromEntries(tuples.map(({ word, count }) => [word, count]));
}

const packed = pack();
const paths = packed.files.map(({ path }) => path);

t.test('the package holds what it needs and nothing else', (t) => {
  for (const needed of ['package.json', 'LICENSE', 'README.md', 'CHANGELOG.md', 'docs/README.md'])
    t.ok(paths.includes(needed), needed);
  const allowed =
    /^(package\.json|LICENSE|(docs\/)?[\w-]+\.md|dist\/(engine|coordination|api)\/.*(\.js|\.d\.ts|\.html|\.css|\.json))$/;
  t.strictSame(
    paths.filter((path) => !allowed.test(path) || /(^|\/)(test|examples)\//.test(path)),
    [],
    'no tests, no examples, no source maps that point at files that are not there',
  );
  const untyped = paths.filter((path) => path.endsWith('.js') && !paths.includes(path.replace(/\.js$/, '.d.ts')));
  t.strictSame(untyped, [], 'every module has its declarations');
  t.end();
});

t.test('what package.json names is in the package', (t) => {
  for (const [name, target] of Object.entries(manifest.exports)) {
    for (const path of typeof target === 'string' ? [target] : [target.types, target.default]) {
      const [before = '', after] = path.slice('./'.length).split('*');
      const found = paths.some((file) =>
        after === undefined ? file === before : file.startsWith(before) && file.endsWith(after),
      );
      t.ok(found, `${name}: ${path}`);
    }
  }
  const command = packed.files.find(({ path }) => path === manifest.bin['millrace']);
  t.ok(command, 'the command is in the package');
  if (command !== undefined) {
    t.match(readFileSync(join(root, command.path), 'utf8'), /^#!\/usr\/bin\/env node\n/);
    if (!windows) t.equal(command.mode & 0o111, 0o111, 'the command is executable');
  }
  t.end();
});

t.test('the package installs in an empty project, runs there, and its types hold', (t) => {
  mkdirSync(project);
  const put = (name: string, text: string): void => writeFileSync(join(project, name), text);
  put('package.json', '{ "name": "project", "private": true, "type": "module" }\n');
  put('poem.txt', poem);
  put('words.ts', program);
  put('coordinated.ts', coordinated);
  put('words.json', JSON.stringify(document));
  const target = { target: 'es2023', module: 'nodenext', moduleResolution: 'nodenext', strict: true, types: [] };
  const configured = (options: object, file: string): string =>
    JSON.stringify({ compilerOptions: { ...target, ...options }, files: [file] });
  put('tsconfig.json', configured({ noEmit: true }, 'words.ts'));
  // What a store takes for TLS is said in the types of Node.
  put('tsconfig.coordinated.json', configured({ outDir: 'out', skipLibCheck: true }, 'coordinated.ts'));

  const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  const installed = run('npm', ['install', ...quiet, join(outside, packed.filename)], project);
  t.equal(installed.status, 0, 'npm install', { output: installed.stderr });

  const command = join(project, 'node_modules', '.bin', windows ? 'millrace.cmd' : 'millrace');
  const version = run(command, ['--version'], project);
  t.equal(version.stdout.trim(), manifest.version, 'millrace --version', { output: version.stderr });

  for (const [file, result] of [
    ['words.json', 'document.jsonl'],
    ['words.ts', 'program.jsonl'],
  ] as const) {
    const ran = run(command, ['run', file, '--json'], project);
    if (!t.equal(ran.status, 0, `millrace run ${file}`, { output: ran.stdout + ran.stderr })) continue;
    const summary = JSON.parse(ran.stdout.trimEnd().split('\n').at(-1) ?? '') as unknown;
    t.match(summary, { type: 'summary', status: 'completed', components: { lines: { acked: 2, failed: 0 } } });
    t.strictSame(countsIn(result), expectedCounts, `${file} counts the words`);
  }

  const compiler = join(root, 'node_modules', '@typescript', 'native', 'lib', 'tsc.js');
  const checked = run(process.execPath, [compiler, '-p', 'tsconfig.json'], project);
  t.equal(checked.status, 0, 'the types hold, without the types of Node', { output: checked.stdout });
  const compiled = run(process.execPath, [compiler, '-p', 'tsconfig.coordinated.json'], project);
  t.equal(compiled.status, 0, 'a program of the coordination compiles', { output: compiled.stdout });
  const coordinates = run(process.execPath, ['out/coordinated.js'], project);
  t.equal(coordinates.status, 0, 'the store runs', { output: coordinates.stderr });
  t.end();
});
