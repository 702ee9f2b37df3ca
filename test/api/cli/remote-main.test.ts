// The commands that talk to a host as processes: how their options are written, and where the host is looked for.

import t from 'tap';
import { INGESTING } from '../fake-host.js';
import { serve } from '../http/served.js';
import { NUMBERS } from '../modules.js';
import { leavesNothing, millrace, summaryIn } from './command.js';

t.setTimeout(120_000);

t.test('from submit to kill', async (t) => {
  const { url, host } = await serve(t);
  const directory = t.testdir({ 'records.json': JSON.stringify(INGESTING), 'numbers.ts': NUMBERS });
  const at = ['--host', url];
  const submitted = await millrace(directory, [
    'submit',
    'records.json',
    '--set',
    'out.parallelism=2',
    '--inactive',
    ...at,
  ]);
  t.match(submitted, { exitCode: 0, stdout: 'records\n', stderr: /^records is inactive: 3 tasks/ });
  t.match(await millrace(directory, ['submit', 'numbers.ts', ...at]), { exitCode: 0, stdout: 'numbers\n' });
  t.match(await millrace(directory, ['list', ...at]), {
    exitCode: 0,
    stdout: /\nnumbers +active .*\nrecords +inactive /,
  });
  const replaced = await millrace(directory, ['submit', 'numbers.ts', '--replace', ...at]);
  t.match(replaced, {
    exitCode: 0,
    stdout: 'numbers\n',
    stderr: /\nnumbers: replaced version numbers-2 by numbers-3\n$/,
  });
  t.match(await millrace(directory, ['activate', 'records', ...at]), { exitCode: 0, stderr: 'records is active\n' });
  t.match(summaryIn(await millrace(directory, ['describe', 'records', '--json', ...at])), {
    name: 'records',
    tasks: 3,
  });
  t.match(await millrace(directory, ['deactivate', 'records', ...at]), { exitCode: 0 });
  const killed = await millrace(directory, ['kill', 'records', '--wait', '0', '--reason', 'enough', '--json', ...at]);
  t.match([killed.exitCode, summaryIn(killed)], [0, { state: 'killed', reason: 'enough' }]);
  t.match(host.calls.join(' '), /putArtifact submit/);
  leavesNothing(t, directory);
});

t.test('the variable MILLRACE_HOST, and mistakes', async (t) => {
  const { port } = await serve(t);
  const directory = t.testdir({});
  const before = process.env['MILLRACE_HOST'];
  t.teardown(() => {
    if (before === undefined) delete process.env['MILLRACE_HOST'];
    else process.env['MILLRACE_HOST'] = before;
  });
  process.env['MILLRACE_HOST'] = `127.0.0.1:${port}`;
  t.match(await millrace(directory, ['list']), {
    exitCode: 0,
    stdout: '',
    stderr: new RegExp(`http://127.0.0.1:${port}`),
  });
  process.env['MILLRACE_HOST'] = '127.0.0.1:1';
  t.match(await millrace(directory, ['list']), {
    exitCode: 4,
    stderr: /^error MILLRACE_CLIENT_UNREACHABLE: .*"http:\/\/127\.0\.0\.1:1"/,
  });
  t.match(await millrace(directory, ['kill', 'x', '--wait', 'soon']), { exitCode: 2, stderr: /--wait is "soon"/ });
  const wrong = await millrace(directory, ['describe', '--json']);
  t.match(
    [wrong.exitCode, summaryIn(wrong)],
    [2, { type: 'error', error: { code: 'MILLRACE_CLI_USAGE', hint: 'see millrace describe --help' } }],
  );
  t.match(await millrace(directory, ['submit', 'x.json', '--replace', '--inactive']), {
    exitCode: 2,
    stderr: /'--replace' cannot be used with option '--inactive'/,
  });
  t.match(await millrace(directory, ['lst']), { exitCode: 2, stderr: /did you mean list\? see millrace --help/ });
  t.match(await millrace(directory, ['submit', '--help']), { exitCode: 0, stdout: /4 no host there/ });
});
