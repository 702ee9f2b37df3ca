// The file that says in which processes a topology runs: what is right is read, all else is told with its path.

import { join } from 'node:path';
import t from 'tap';
import { readProcesses } from '../../api/processes.js';
import { isMillraceError } from '../../engine/errors.js';

const lead = { name: 'a', host: '127.0.0.1', port: 7300, workers: 2 };
const member = { name: 'b', host: '127.0.0.1', workers: 1 };
const good = { lead, members: [member] };

t.test('a file with a secret beside it', async (t) => {
  const far = { ...good, members: [{ ...member, host: '10.0.0.2' }], secretFile: 'secret' };
  const directory = t.testdir({ 'plan.json': JSON.stringify(far), secret: ' sixteen or more letters\n' });
  t.strictSame(await readProcesses(join(directory, 'plan.json')), { ...far, secret: 'sixteen or more letters' });
});

const wrong: Readonly<Record<string, readonly [content: unknown, expected: RegExp]>> = {
  syntax: ['{', /it is no JSON/],
  list: [[], /it must be object/],
  'no members': [{ ...good, members: [] }, /"members" must/],
  'no lead': [{ members: [member] }, /lead/],
  port: [{ ...good, lead: { ...lead, port: 70_000 } }, /"lead.port" must be <= 65535/],
  workers: [{ ...good, members: [{ ...member, workers: 0 }] }, /"members.0.workers" must be >= 1/],
  'more than there is': [{ ...good, leed: 1 }, /"leed" is not known here/],
  'a name twice': [{ ...good, members: [member, member] }, /"members.1.name" is "b", which another process is called/],
  'the name of the lead': [{ ...good, members: [{ ...member, name: 'a' }] }, /"members.0.name" is "a"/],
  'too many': [{ ...good, lead: { ...lead, workers: 256 } }, /it has 257 workers, above 256/],
  'no secret': [
    { ...good, lead: { ...lead, host: '10.0.0.1' } },
    /"10.0.0.1" can be reached .* "secretFile" is needed/,
  ],
  'a name for an address': [{ ...good, lead: { ...lead, host: 'localhost' } }, /"localhost" can be reached/],
  'a short secret': [{ ...good, secretFile: 'short' }, /fewer than 16 characters/],
  'a large file': [{ ...good, more: 'x'.repeat(70_000) }, /above 65536/],
};

for (const [what, [content, expected]] of Object.entries(wrong)) {
  void t.test(`wrong: ${what}`, async (t) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const directory = t.testdir({ 'plan.json': text, short: 'short' });
    const thrown: unknown = await readProcesses(join(directory, 'plan.json')).catch((error: unknown) => error);
    t.ok(isMillraceError(thrown) && thrown.code === 'MILLRACE_PROCESSES_INVALID');
    t.match((thrown as Error).message, expected);
  });
}

t.test('a file or a secret that is not there', async (t) => {
  const directory = t.testdir({ 'plan.json': JSON.stringify({ ...good, secretFile: 'nowhere' }) });
  for (const file of ['missing.json', 'plan.json']) {
    const thrown: unknown = await readProcesses(join(directory, file)).catch((error: unknown) => error);
    t.ok(isMillraceError(thrown) && thrown.code === 'MILLRACE_PROCESSES_MISSING', file);
  }
});
