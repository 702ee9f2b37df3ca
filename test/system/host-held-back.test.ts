// A topology that crashes the whole host process whenever it is started, as native code can: it is held back, and the
// host goes on with the others. With real processes.

import t from 'tap';
import { millrace } from '../api/cli/command.js';
import { HostCommand, poll, untilState } from './host-command.js';
import { TICKS } from './host-topologies.js';

t.setTimeout(120_000);

const CRASHING = `
import { Bolt, topology } from 'millrace';
import { generator } from 'millrace/connect/generator';

class Crash extends Bolt {
  execute() {
    process.kill(process.pid, 'SIGSEGV');
  }
}

export default topology('crashing', (t) => {
  t.bolt('crash', Crash).shuffle(t.spout('numbers', generator({ template: { n: { sequence: 1 } } })));
});
`;

t.test('what crashed the host process three times is held back as failed', async (t) => {
  const directory = t.testdir({ 'crashing.ts': CRASHING });
  const host = await HostCommand.listening(t, directory, ['--data', 'data']);
  await millrace(directory, ['submit', 'crashing.ts', '--host', host.url]);
  await host.says(/the host process ended with SIGSEGV/, 3);
  let reason: string | null = null;
  // Until it is back, nobody answers.
  await poll(async () => {
    const details = await host.client.describe('crashing').catch(() => null);
    reason = details?.reason ?? null;
    return details?.state === 'failed';
  });
  t.match(
    reason,
    /^.*topology "crashing" ran each time when the process of its host crashed last, and is not started again/,
  );
  await host.client.submit({ document: TICKS });
  await host.says(/^\{"n":1\}$/m);
  t.equal(host.stderr.match(/ended with SIGSEGV/g)?.length, 3, 'no more than that');
});

t.test('a host process that somebody kills holds nothing back', async (t) => {
  const directory = t.testdir({});
  const host = await HostCommand.listening(t, directory, ['--data', 'data']);
  await host.client.submit({ document: TICKS });
  for (let kills = 1; kills <= 4; kills++) {
    await untilState(host.client, TICKS.name, ['active']);
    await host.killChild();
    await host.says(/the host is back/, kills);
  }
  t.match(await host.client.describe(TICKS.name), { state: /^(active|waiting)$/ });
});
