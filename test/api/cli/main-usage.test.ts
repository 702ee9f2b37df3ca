// The command as a process, when it cannot run anything: what it prints where, and its exit codes.

import t from 'tap';
import { NUMBERS } from '../modules.js';
import { leavesNothing, millrace, summaryIn } from './command.js';

t.setTimeout(120_000);

t.test('version and help go to standard output', async (t) => {
  const directory = t.testdir();
  const version = await millrace(directory, ['--version']);
  t.match(version, { exitCode: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' });
  t.match(await millrace(directory, ['run', '--help']), { exitCode: 0, stdout: /Exit codes: 0 completed/, stderr: '' });
});

t.test('wrong usage is told with a hint, on standard error', async (t) => {
  const directory = t.testdir({ 'a.yaml': '', 'numbers.ts': NUMBERS });
  const cases: readonly (readonly [args: readonly string[], stderr: RegExp])[] = [
    [[], /no command is given/],
    [['rn', 'a.ts'], /unknown command 'rn'\nhint: did you mean run\?/],
    [['run'], /missing required argument 'FILE'/],
    [['run', 'a.ts', '--wokers', '2'], /unknown option '--wokers'\nhint: did you mean --workers\?/],
    [['run', 'a.ts', '--workers', '0'], /--workers is "0"/],
    [['run', 'a.ts', '--set', 'x'], /--set is "x", which is not key=value/],
    [['run', 'a.yaml'], /MILLRACE_RUN_FILE_KIND/],
    [['run', 'numbers.ts', '--set', 'nmbers.count=1'], /nmbers/],
  ];
  for (const [args, stderr] of cases) {
    const ended = await millrace(directory, args);
    t.match(ended, { exitCode: 2, stderr }, args.join(' '));
    if (args.length > 0) t.equal(ended.stdout, '');
  }
  const ended = await millrace(directory, ['run', 'a.ts', '--workers', '0', '--json']);
  t.match(summaryIn(ended), {
    type: 'summary',
    topology: null,
    status: 'failed',
    error: { code: 'MILLRACE_CLI_USAGE' },
  });
});

t.test('a file that is missing, does not compile, throws or exports something else', async (t) => {
  const directory = t.testdir({
    'syntax.ts': 'export default = 1;',
    'throws.ts': "export default 1;\nthrow new Error('boom');",
    'other.ts': 'export default 1;',
    'bad.json': '{ "name": "bad", }',
    'wrong.json': '{ "name": "wrong", "spouts": { "a": { "type": "file-line" } }, "bolts": {} }',
  });
  const cases: readonly (readonly [file: string, exitCode: number, code: string, stderr: RegExp])[] = [
    ['missing.ts', 3, 'MILLRACE_RUN_FILE_MISSING', /missing\.ts/],
    ['syntax.ts', 1, 'MILLRACE_BUNDLE_SYNTAX', /syntax\.ts:1:16/],
    ['throws.ts', 1, 'MILLRACE_DEFINITION_THREW', /throws\.ts:2:7/],
    ['other.ts', 1, 'MILLRACE_DEFINITION_EXPORT', /the number 1/],
    ['bad.json', 1, 'MILLRACE_DOCUMENT_SYNTAX', /bad\.json:1:18/],
    ['wrong.json', 1, 'MILLRACE_TOPOLOGY_INVALID', /file-lines/],
  ];
  for (const [file, exitCode, code, stderr] of cases) {
    const ended = await millrace(directory, ['run', file, '--json']);
    t.match(ended, { exitCode, stderr }, file);
    t.match(ended.stderr, new RegExp(`^error ${code}: `), file);
    t.match(summaryIn(ended), { type: 'summary', status: 'failed', components: {}, error: { code } }, file);
  }
  t.notMatch((await millrace(directory, ['run', 'syntax.ts'])).stderr, /node_modules|cli\/main/, 'no frames of ours');
  leavesNothing(t, directory);
});
