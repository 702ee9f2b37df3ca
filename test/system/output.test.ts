// What user code writes with `console.log` in a worker leaves by the one hand that holds standard output: as lines for
// people, as JSON lines with `--json`, in the order in which it was written, and none of it lost.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const command = fileURLToPath(new URL('../../api/cli/main.js', import.meta.url));
const source = `
import { topology } from 'millrace';
import { generator } from 'millrace/connect/generator';

export default topology('talking', (t) => {
  const numbers = t.spout('numbers', generator({ template: { n: { sequence: 0 } }, count: 500 }));
  t.bolt('talk', (tuple) => console.log('n', tuple.values[0])).global(numbers);
});
`;
const expected = Array.from({ length: 500 }, (_, n) => `n ${n}`);

t.test('console.log in a component, for people', async (t) => {
  const file = join(t.testdir({ 'talking.ts': source }), 'talking.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [command, 'run', file]);
  t.strictSame(stdout.trim().split('\n'), expected);
});

t.test('… and with --json every line is JSON', async (t) => {
  const file = join(t.testdir({ 'talking.ts': source }), 'talking.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [command, 'run', file, '--json']);
  const messages = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly type: string; readonly line?: string });
  t.strictSame(
    messages.filter(({ type }) => type === 'print').map(({ line }) => line),
    expected,
  );
  t.equal(messages.at(-1)?.type, 'summary');
});
