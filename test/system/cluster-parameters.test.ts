// Parameters on hosts that are processes of their own, on a real ensemble: a component on another host than the lead
// sees what is set at any host, also when its worker has just moved there.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { millrace } from '../api/cli/command.js';
import { runningEnsemble } from '../coordination/ensemble/running.js';
import { HostCommand, poll, untilState } from './host-command.js';

t.setTimeout(150_000);

/** Each of its two workers, each on a host of its own, prints what it sees, and in which process. */
const SEEN = `
import { Bolt, topology, type BoltContext, type ParameterValues } from 'millrace';
import { ingest } from 'millrace/connect/ingest';

class See extends Bolt {
  #context!: BoltContext;
  async prepare(context: BoltContext): Promise<void> {
    this.#context = context;
    await this.#say(context.parameters);
  }
  execute(): void {}
  async parametersChanged(parameters: ParameterValues): Promise<void> {
    await this.#say(parameters);
  }
  async #say(parameters: ParameterValues): Promise<void> {
    await this.#context.print('process ' + process.pid + ' sees ' + JSON.stringify(parameters));
  }
}

export default topology('seen', (t) => {
  t.bolt('see', See, { parallelism: 2 }).shuffle(t.spout('records', ingest({ fields: ['what'] })));
});
`;

t.test('components of all hosts see what is set at any of them', async (t) => {
  const ensemble = await runningEnsemble(t);
  const directory = t.testdir({});
  const file = join(directory, 'seen.ts');
  writeFileSync(file, SEEN);
  const start = async (name: string): Promise<HostCommand> => {
    const own = join(directory, name);
    mkdirSync(own);
    const args = ['--zookeeper', `${ensemble.connectString}/parameters`, '--name', name, '--data', 'data'];
    return await HostCommand.listening(t, own, [...args, '--slots', '1', '--session-timeout', '2s']);
  };
  const hosts = await Promise.all(['a', 'b'].map(start));
  const [a, b] = hosts as [HostCommand, HostCommand];
  /** What is printed is printed by the lead, wherever it was said. */
  const seen = async (pid: number, values: object): Promise<void> => {
    const line = `process ${pid} sees ${JSON.stringify(values)}\n`;
    await poll(() => hosts.some(({ stdout }) => stdout.includes(line)));
  };
  const bothSee = async (values: object): Promise<void> => {
    for (const { childPid } of [a, b]) await seen(childPid!, values);
  };
  await a.client.setParameters(null, { region: 'eu' });
  const submitted = await millrace(directory, ['submit', file, '--set', 'workers=2', '--host', a.url]);
  t.equal(submitted.exitCode, 0, submitted.stderr);
  await untilState(b.client, 'seen', ['active']);
  const { places } = await b.client.describe('seen');
  t.strictSame(places.map(({ host }) => host).sort(), ['a', 'b'], 'a worker on each');
  await bothSee({ region: 'eu' });

  for (const [factor, host] of [
    [1, b],
    [2, a],
  ] as const) {
    await host.client.setParameters('seen', { factor });
    await bothSee({ region: 'eu', factor });
  }
  await b.client.setParameters(null, { region: 'us' });
  await bothSee({ region: 'us', factor: 2 });
  t.match(await a.client.parameters('seen'), { version: 2, values: { factor: 2 } });

  // The member that dies is back as another process: its worker begins with the newest.
  const lead = places[0]!.host === 'a' ? a : b;
  const member = lead === a ? b : a;
  const before = member.childPid!;
  await member.killChild();
  await poll(() => member.childPid !== null && member.childPid !== before);
  await seen(member.childPid!, { region: 'us', factor: 2 });
  await lead.client.setParameters('seen', { factor: 3 });
  await seen(member.childPid!, { region: 'us', factor: 3 });
});
