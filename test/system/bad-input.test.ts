// Everything that can be wrong with what a user hands to `millrace run`, through the real command, one case after the
// other. Of each case: the exit code; one error, with its code, the thing and the place; the summary as the last line;
// nothing left behind (the process ends by itself, its output is closed by every child of its, no temporary file
// stays); no torn line in a sink, and every record that was acked is in it.
//
// Linux shows every case. Elsewhere the few that need a device or a limit of Linux say that they are skipped, and why.

import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { leavesNothing, millrace, summaryIn, type Ended, type Watch } from '../api/cli/command.js';

t.setTimeout(180_000);

/** What of a summary these tests look at. */
interface Summary {
  readonly type: string;
  readonly status: string;
  readonly components: Readonly<Record<string, { emitted: number; executed: number; acked: number; failed: number }>>;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** The topology file; the first of the files when left out. */
  readonly file?: string;
  readonly args?: readonly string[];
  /** Makes what a table cannot hold. */
  prepare?(directory: string): void;
  watch?(directory: string): Watch;
  readonly exitCode: number;
  readonly status?: 'failed' | 'killed';
  /** Null: it is no error. */
  readonly code: string | null;
  /** What standard error must say: the thing, the place, what to do. */
  readonly says: readonly RegExp[];
  /** Looks at the rest: what was handled, and what is in the sink. */
  check?(t: Test, directory: string, summary: Summary): void;
  readonly skip?: string | false;
}

const onLinux = process.platform === 'linux' ? false : 'needs a device of Linux';
const onUnix = process.platform === 'win32' ? 'needs a limit that Windows does not have' : false;

const SINK = 'out.jsonl';

/** A document: a spout and a sink behind it. */
function copying(spout: object, sink: string = SINK): string {
  return JSON.stringify({
    name: 'copy',
    spouts: { in: spout },
    bolts: {
      out: { type: 'file-sink', config: { path: sink }, inputs: [{ from: 'in', grouping: 'shuffle' }] },
    },
  });
}

const linesOf = (path: string): string => copying({ type: 'file-lines', config: { path } });
const endless = (rate?: number): object => ({
  type: 'generator',
  config: { template: { n: { sequence: 0 }, text: 'x'.repeat(100) }, ...(rate === undefined ? {} : { rate }) },
});

/** The sample document with one thing changed. */
function sample(change: (document: ReturnType<typeof wordCount>) => void): string {
  const document = wordCount();
  change(document);
  return JSON.stringify(document, null, 2);
}

function wordCount() {
  return {
    name: 'words',
    spouts: { lines: { type: 'file-lines', config: { path: 'text.txt' } as Record<string, unknown> } },
    bolts: {
      split: { type: 'split-words', inputs: [{ from: 'lines', grouping: 'shuffle' } as Record<string, unknown>] },
      count: { type: 'count', inputs: [{ from: 'split', grouping: 'fields', fields: ['word'] }] },
    },
  };
}

// --- the topology file
// ------------------------------------------------------------------------------------------------

const loading: readonly Case[] = [
  {
    name: 'a module that does not compile',
    files: {
      'syntax.ts': "import { topology } from 'millrace';\nexport default topology('a', (t) => {\n  t.spout(;\n});\n",
    },
    exitCode: 1,
    code: 'MILLRACE_BUNDLE_SYNTAX',
    says: [/"syntax\.ts" does not compile, at syntax\.ts:3:11: Unexpected ";"/, /3 \| {3}t\.spout\(;\n {4}\| {11}\^/],
  },
  {
    name: 'a module that imports what is not there',
    files: { 'imports.ts': "import { split } from './spilt.js';\nexport default split;\n", 'split.ts': 'export {};' },
    exitCode: 1,
    code: 'MILLRACE_BUNDLE_IMPORT',
    says: [/"imports\.ts" needs "\.\/spilt\.js"/, /imports\.ts:1:23/, /hint: there is no such file/],
  },
  {
    name: 'a module that throws while it is loading',
    files: { 'throws.ts': 'const limits = undefined;\n\nexport default limits.tuples;\n' },
    exitCode: 1,
    code: 'MILLRACE_DEFINITION_THREW',
    says: [
      /"throws\.ts" threw while it was loading, at throws\.ts:3:23: TypeError: Cannot read properties of undefined/,
    ],
  },
  {
    name: 'a module that spins while it is loading',
    files: { 'spins.ts': 'for (;;);\n' },
    exitCode: 1,
    code: 'MILLRACE_DEFINITION_TIMEOUT',
    says: [/"spins\.ts" was not loaded within 10 s/, /hint: look for an endless loop/],
  },
  {
    name: 'a module that exits while it is loading',
    files: { 'exits.ts': "console.log('so long');\nprocess.exit(0);\n" },
    exitCode: 1,
    code: 'MILLRACE_DEFINITION_EXITED',
    says: [/^so long$/m, /"exits\.ts" ended its process while it was loading, at exits\.ts:2:9: process\.exit\(0\)/],
  },
  {
    name: 'a module that default-exports something else',
    files: { 'other.ts': 'export const topology = 1;\nexport default { spouts: {}, bolts: {} };\n' },
    exitCode: 1,
    code: 'MILLRACE_DEFINITION_EXPORT',
    says: [/"other\.ts" default-exports an object/, /^hint: /m],
  },
  {
    name: 'a module that default-exports nothing',
    files: { 'nothing.ts': 'export const topology = 1;\n' },
    exitCode: 1,
    code: 'MILLRACE_DEFINITION_EXPORT',
    says: [/"nothing\.ts" default-exports nothing/, /^hint: /m],
  },
  {
    name: 'a topology file that does not exist',
    files: { 'words.json': '{}' },
    file: 'wrods.json',
    exitCode: 3,
    code: 'MILLRACE_RUN_FILE_MISSING',
    says: [/there is no topology file "wrods\.json"/, /hint: did you mean "words\.json"/],
  },
  {
    name: 'a JSON syntax error',
    files: { 'syntax.json': '{\n  "name": "a",\n  "spouts": {},\n}\n' },
    exitCode: 1,
    code: 'MILLRACE_DOCUMENT_SYNTAX',
    says: [/syntax\.json:4:1: no comma may stand before "}"/, /4 \| }\n {4}\| \^/],
  },
  {
    name: 'a key that stands twice in a document',
    files: { 'twice.json': '{\n  "name": "a",\n  "spouts": {},\n  "spouts": {}\n}\n' },
    exitCode: 1,
    code: 'MILLRACE_DOCUMENT_SYNTAX',
    says: [/twice\.json:4:3: the key "spouts" stands here twice/],
  },
  {
    name: 'an unknown type',
    files: { 'type.json': sample(({ spouts }) => void (spouts.lines.type = 'file-line')) },
    exitCode: 1,
    code: 'MILLRACE_TOPOLOGY_INVALID',
    says: [
      /topology "words" has 1 problem/,
      /spouts\.lines\.type: .*"file-line", which does not exist/,
      /did you mean "file-lines"/,
    ],
  },
  {
    name: 'an unknown key',
    files: { 'key.json': sample((document) => void Object.assign(document.bolts.split, { paralellism: 2 })) },
    exitCode: 1,
    code: 'MILLRACE_TOPOLOGY_INVALID',
    says: [/bolts\.split\.paralellism: .*no key "paralellism"/, /did you mean "parallelism"/],
  },
  {
    name: 'an unknown key in the settings of a component',
    files: { 'setting.json': sample(({ spouts }) => void (spouts.lines.config['lineBytesMx'] = 10)) },
    exitCode: 1,
    code: 'MILLRACE_TOPOLOGY_INVALID',
    says: [/spouts\.lines\.config\.lineBytesMx: spout "lines" .*"lineBytesMx"/, /did you mean "lineBytesMax"/],
  },
  {
    name: 'an unknown stream',
    files: { 'stream.json': sample(({ bolts }) => void (bolts.split.inputs[0]!['stream'] = 'defualt')) },
    exitCode: 1,
    code: 'MILLRACE_TOPOLOGY_INVALID',
    says: [
      /bolts\.split\.inputs\[0\]\.stream: bolt "split" takes stream "defualt" of "lines"/,
      /did you mean "default"/,
    ],
  },
  {
    name: 'an unknown field',
    files: { 'field.json': sample(({ bolts }) => void (bolts.count.inputs[0]!.fields = ['wrod'])) },
    exitCode: 1,
    code: 'MILLRACE_TOPOLOGY_INVALID',
    says: [/bolts\.count\.inputs\[0\]\.fields\[0\]: bolt "count" groups by field "wrod"/, /did you mean "word"/],
  },
  {
    name: 'several mistakes at once',
    files: {
      'several.json': sample(({ spouts, bolts }) => {
        spouts.lines.config['pth'] = 'text.txt';
        bolts.split.inputs[0]!['from'] = 'line';
        bolts.count.inputs[0]!.fields = ['wrod'];
      }),
    },
    exitCode: 1,
    code: 'MILLRACE_TOPOLOGY_INVALID',
    says: [/has 3 problem/, /"pth"/, /did you mean "lines"/, /did you mean "word"/],
  },
  {
    name: 'a setting that does not exist',
    files: { 'words.json': sample(() => undefined) },
    args: ['--set', 'lines.pth=other.txt'],
    exitCode: 2,
    code: 'MILLRACE_TOPOLOGY_INVALID',
    says: [/"pth"/, /did you mean "path"/],
  },
];

// --- what a spout reads
// -------------------------------------------------------------------------------------------------

/** Copies the file, and cuts it off while it is being read. */
const CUTTING = `
import { truncateSync } from 'node:fs';
import { topology } from 'millrace';
import { fileLines, fileSink } from 'millrace/connect/file';

let isCut = false;
function cut() {
  if (!isCut) truncateSync('text.txt', 600_003);
  isCut = true;
}

export default topology('cutting', (t) => {
  const lines = t.spout('in', fileLines({ path: 'text.txt' }));
  t.bolt('cut', cut).shuffle(lines);
  t.bolt('out', fileSink({ path: '${SINK}' })).shuffle(lines);
});
`;
const TEXT = Array.from({ length: 40_000 }, (_, n) => `this is line ${n}\n`).join('');

const reading: readonly Case[] = [
  {
    name: 'a text file that is missing',
    files: { 'copy.json': linesOf('missing.txt') },
    exitCode: 1,
    code: 'MILLRACE_FILE_MISSING',
    says: [/component "in": file "missing\.txt" does not exist/, /hint: .*looked for at .*[\\/]missing\.txt/],
    check: sinkHolds(() => []),
  },
  {
    name: 'a text file that is a directory',
    files: { 'copy.json': linesOf('temporary') },
    exitCode: 1,
    code: 'MILLRACE_FILE_NOT_REGULAR',
    says: [/component "in": "temporary" is a directory, not a file/],
    check: sinkHolds(() => []),
  },
  {
    name: 'a text file that this user may not read',
    files: { 'copy.json': linesOf('secret.txt'), 'secret.txt': 'a\n' },
    prepare: (directory) => chmodSync(join(directory, 'secret.txt'), 0),
    watch: () => ({ through: asOrdinaryUser() ?? [] }),
    exitCode: 1,
    code: 'MILLRACE_FILE_UNREADABLE',
    says: [
      /component "in": file "secret\.txt" cannot be opened for reading: EACCES/,
      /hint: .*allowed to read .*secret\.txt/,
    ],
    check: sinkHolds(() => []),
    skip: onUnix !== false ? onUnix : asOrdinaryUser() === null && 'root may read every file, and setpriv is not there',
  },
  {
    name: 'a text file that the disk fails to read',
    files: { 'copy.json': linesOf('/proc/self/mem') },
    exitCode: 1,
    code: 'MILLRACE_FILE_READ',
    says: [/component "in": reading file "\/proc\/self\/mem" failed at byte 0 \(line 1\): EIO/],
    check: sinkHolds(() => []),
    skip: onLinux,
  },
  {
    name: 'a text file that is cut off while it is read',
    files: { 'cutting.ts': CUTTING, 'text.txt': TEXT },
    args: ['--workers', '1'],
    exitCode: 1,
    code: 'MILLRACE_FILE_TRUNCATED',
    says: [/component "in": file "text\.txt" ended at byte 600003 \(line \d+\), but it had \d+ bytes/],
    check: sinkHolds(() => TEXT.slice(0, 600_003).split('\n').slice(0, -1)),
  },
  {
    name: 'a line of 100 MB',
    files: { 'copy.json': linesOf('long.txt'), 'long.txt': 'line 1\nline 2\nline 3' },
    prepare: (directory) => {
      // A hole in the file: a hundred million bytes that take no room on the disk.
      truncateSync(join(directory, 'long.txt'), 100 * 1024 * 1024);
      appendFileSync(join(directory, 'long.txt'), '\nline 4\n');
    },
    exitCode: 1,
    code: 'MILLRACE_FILE_LINE_TOO_LONG',
    says: [
      /component "in": the line that starts at byte 14 \(line 3\) of file "long\.txt" is longer than 1048576 bytes/,
    ],
    check: (t, directory, summary) => {
      sinkHolds(() => ['line 1', 'line 2'])(t, directory, summary);
      rmSync(join(directory, 'long.txt'));
    },
  },
];

// --- what a sink writes
// -------------------------------------------------------------------------------------------------

const writing: readonly Case[] = [
  {
    name: 'a sink in a directory that does not exist',
    files: { 'copy.json': copying(endless(), 'no/where.jsonl') },
    exitCode: 1,
    code: 'MILLRACE_FILE_DIRECTORY_MISSING',
    says: [/component "out": file "no\/where\.jsonl" cannot be made: its directory does not exist/],
  },
  {
    name: 'a full device under the sink',
    files: { 'copy.json': copying(endless(), '/dev/full') },
    exitCode: 1,
    code: 'MILLRACE_FILE_WRITE',
    says: [/component "out": writing file "\/dev\/full" failed after 0 bytes: ENOSPC/],
    check: (t, _directory, { components }) => {
      t.match(components, { in: { acked: 0 }, out: { acked: 0 } }, 'nothing counts as accepted');
    },
    skip: onLinux,
  },
  {
    name: 'no more room under the sink, in the middle of a line',
    files: { 'copy.json': copying(endless()) },
    // A limit on the size of files stands for the disk: the write that crosses it is cut short, and the next one fails.
    // Node ignores the signal that comes with it, but what the test runner loads into its children does not.
    watch: () => ({ through: ['sh', '-c', 'unset NODE_V8_COVERAGE NODE_OPTIONS; ulimit -f 128 && exec "$@"', 'sh'] }),
    exitCode: 1,
    code: 'MILLRACE_FILE_WRITE',
    says: [
      /component "out": writing file "out\.jsonl" failed after \d+ bytes: EFBIG/,
      /hint: the file ends with its last complete line/,
    ],
    check: (t, directory, summary) => {
      const numbers = sinkLines(t, directory).map(({ n }) => n);
      t.ok(numbers.length > 0, 'what fits is written');
      sinkMatches(t, numbers, summary);
    },
    skip: onUnix,
  },
];

// --- signals
// ------------------------------------------------------------------------------------------------------------

const SLOW_OPEN = `
import { Spout, topology } from 'millrace';
import { fileSink } from 'millrace/connect/file';

class Slow extends Spout {
  static readonly outputs = ['n'] as const;
  async open(context) {
    await context.print('opening');
    await new Promise(() => setInterval(() => undefined, 1000));
  }
  nextTuple() {}
}

export default topology('slow', (t) => {
  t.bolt('out', fileSink({ path: '${SINK}' })).shuffle(t.spout('in', Slow));
});
`;

/** Its third tuple never ends; every other one is copied, and said. */
const STUCK = `
import { Bolt, topology } from 'millrace';
import { fileSink } from 'millrace/connect/file';
import { generator } from 'millrace/connect/generator';

class Stuck extends Bolt {
  static readonly outputs = [] as const;
  prepare(context) { this.context = context; }
  async execute() {
    await this.context.print('stuck');
    await new Promise(() => undefined);
  }
}

export default topology('stuck', (t) => {
  const numbers = t.spout('in', generator({ template: { n: { sequence: 0 } } }));
  t.bolt('stuck', Stuck).shuffle(numbers);
  t.bolt('out', fileSink({ path: '${SINK}' })).shuffle(numbers);
}, { maxSpoutPending: 50 });
`;

const RUNNING = JSON.stringify({
  ...(JSON.parse(copying(endless(5000))) as { bolts: object }),
  bolts: {
    ...(JSON.parse(copying(endless(5000))) as { bolts: object }).bolts,
    said: { type: 'log', inputs: [{ from: 'in', grouping: 'shuffle' }] },
  },
});

const signals: readonly Case[] = [
  {
    name: 'SIGTERM while the module is bundled',
    files: { 'slow.ts': "import './pipe.js';\nexport default 1;\n" },
    prepare: (directory) => void execFileSync('mkfifo', [join(directory, 'pipe.js')]),
    watch: (directory) => {
      // It opens when the bundler reads its other end, and keeps it waiting until the signal was heeded.
      const pipe = open(join(directory, 'pipe.js'), 'w');
      return {
        onStart: ({ kill }) => void pipe.then(() => kill('SIGTERM')),
        onText: once(
          'stopping, press Ctrl-C again',
          () =>
            void pipe.then(async (file) => {
              await file.writeFile('export const here = import.meta.url;');
              await file.close();
            }),
        ),
      };
    },
    exitCode: 143,
    status: 'killed',
    code: 'MILLRACE_RUN_INTERRUPTED',
    says: [/SIGTERM came while the topology was being opened/],
    skip: onUnix,
  },
  {
    name: 'SIGTERM while the definition is read',
    files: { 'spins.ts': "console.log('spinning');\nfor (;;);\n" },
    watch: () => ({ onText: once('spinning', (kill) => kill('SIGTERM')) }),
    exitCode: 143,
    status: 'killed',
    code: 'MILLRACE_RUN_INTERRUPTED',
    says: [/SIGTERM came while the topology was being read/],
  },
  {
    name: 'SIGTERM while a component is opening',
    files: { 'slow.ts': SLOW_OPEN, [SINK]: '{"n":"from before"}\n' },
    watch: () => ({ onText: once('opening', (kill) => kill('SIGTERM')) }),
    exitCode: 143,
    status: 'killed',
    code: 'MILLRACE_RUN_INTERRUPTED',
    says: [/SIGTERM came while the topology was being started/, /hint: no tuple was handled/],
    check: (t, directory) => {
      t.strictSame(sinkLines(t, directory), [{ n: 'from before' }], 'what the file held is still there');
    },
  },
  {
    name: 'SIGTERM while it is running drains',
    files: { 'copy.json': RUNNING },
    watch: () => ({ onText: once('"type":"print"', (kill) => kill('SIGTERM')) }),
    exitCode: 143,
    status: 'killed',
    code: null,
    says: [/draining, press Ctrl-C again to stop/, /copy killed after/],
    check: (t, directory, summary) => {
      const { in: spout, out } = summary.components;
      t.match(spout, { acked: spout!.emitted, failed: 0 }, 'every tuple that was emitted is handled');
      t.equal(out!.acked, spout!.emitted);
      sinkMatches(
        t,
        sinkLines(t, directory).map(({ n }) => n),
        summary,
      );
    },
  },
  {
    name: 'Ctrl-C twice stops what does not drain',
    files: { 'stuck.ts': STUCK },
    watch: () => {
      const first = once('stuck"', (kill) => kill('SIGINT'));
      const second = once('draining, press Ctrl-C again', (kill) => kill('SIGINT'));
      return {
        onText: (text, started) => {
          first(text, started);
          second(text, started);
        },
      };
    },
    exitCode: 130,
    status: 'killed',
    code: null,
    says: [/draining, press Ctrl-C again to stop/, /stuck killed after/],
    check: (t, directory, summary) =>
      sinkMatches(
        t,
        sinkLines(t, directory).map(({ n }) => n),
        summary,
      ),
  },
];

for (const [section, cases] of Object.entries({ loading, reading, writing, signals })) {
  t.test(section, async (t) => {
    for (const each of cases) {
      await t.test(each.name, each.skip ? { skip: each.skip } : {}, async (t) => await run(t, each));
    }
  });
}

async function run(t: Test, each: Case): Promise<void> {
  const directory = t.testdir({ ...each.files, temporary: {} });
  each.prepare?.(directory);
  const file = each.file ?? Object.keys(each.files)[0] ?? '';
  const args = ['run', file, '--json', ...(each.args ?? [])];
  const ended = await millrace(directory, args, each.watch?.(directory));
  t.equal(ended.exitCode, each.exitCode, 'the exit code');
  for (const text of each.says) t.match(ended.stderr, text);
  const told = [...ended.stderr.matchAll(/^error (\S+?):? /gm)].map((match) => match[1]);
  t.strictSame(told, each.code === null ? [] : [each.code], 'one error, with its code');
  t.notMatch(ended.stderr, /node:internal|[\\/]dist[\\/]|at Worker/, 'nothing of our own insides');
  const summary = summaryOf(t, ended);
  t.match(summary, { type: 'summary', status: each.status ?? 'failed', error: each.code && { code: each.code } });
  if (summary.error !== null) t.ok(ended.stderr.includes(summary.error.message.split('\n', 1)[0] ?? ''));
  each.check?.(t, directory, summary);
  leavesNothing(t, directory);
}

function summaryOf(t: Test, ended: Ended): Summary {
  t.equal(ended.stdout.match(/"type":"summary"/g)?.length, 1, 'one summary, as the last line');
  return summaryIn(ended) as Summary;
}

/** Once that text was written, does that; nothing before and nothing again. */
function once(text: string, act: (kill: (signal: NodeJS.Signals) => boolean) => unknown): NonNullable<Watch['onText']> {
  let isDone = false;
  return (all, { kill }) => {
    if (isDone || !all.includes(text)) return;
    isDone = true;
    act(kill);
  };
}

/** The lines of the sink: each a whole one, the last one with its end. */
function sinkLines(t: Test, directory: string): Record<string, unknown>[] {
  const text = readFileSync(join(directory, SINK), 'utf8');
  t.match(text, /^$|\n$/, 'the sink ends with a line end');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The sink holds the fields `line` of exactly these lines, and all of them count as accepted. */
function sinkHolds(expected: () => readonly string[]): NonNullable<Case['check']> {
  return (t, directory, { components }) => {
    const lines = sinkLines(t, directory).map(({ line }) => line);
    t.strictSame(lines, expected());
    t.equal(components['out']!.acked, lines.length);
    t.match(components['in'], { acked: lines.length, failed: 0 });
  };
}

/** Every accepted tuple is in the sink, none of them torn or made up: it holds a gapless row. */
function sinkMatches(t: Test, numbers: readonly unknown[], { components }: Summary): void {
  const { in: spout, out } = components;
  t.strictSame(
    numbers,
    Array.from(numbers, (_, n) => n),
  );
  t.equal(out!.acked, numbers.length, 'what the sink acked is in the file');
  t.ok(spout!.acked <= numbers.length, 'so is what the spout was told of');
}

/** How to start a process that file permissions hold for; null when there is no way. */
function asOrdinaryUser(): readonly string[] | null {
  if (process.getuid?.() !== 0) return [];
  try {
    const command = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
    execFileSync(command[0]!, [...command.slice(1), 'true'], { stdio: 'ignore' });
    return command;
  } catch {
    return null;
  }
}
