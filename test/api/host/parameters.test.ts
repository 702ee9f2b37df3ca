// Parameters of a host inside of a program, on real threads: components see them without a restart, also where a worker
// took the place of one that died; and the level of the log follows the cluster's.

import t from 'tap';
import { MillraceClient } from '../../../api/client/client.js';
import { Host } from '../../../api/host/index.js';
import { LeveledLogger } from '../../../api/host/leveled-logger.js';
import { codeOf, moduleUrl, startHost } from './hosts.js';

t.setTimeout(120_000);

t.test('a running topology sees what is set of it, and below it what is set of the cluster', async (t) => {
  const { host, printed, prints } = await startHost(t, { listen: '127.0.0.1:0' });
  t.match(await host.setParameters({ factor: 1, region: 'eu' }), { version: 1 });
  const running = await host.submit(moduleUrl('tuned'));
  await prints('begins with {"factor":1,"region":"eu"}');
  await running.ingest('records', ['a']);
  t.ok(printed.includes('a 1'));

  t.strictSame(await running.parameters(), { version: 0, values: {}, problem: null });
  await running.setParameters({ factor: 2 }, 0);
  await prints('told of 2');
  await running.ingest('records', ['b']);
  t.ok(printed.includes('b 2'));
  t.equal(await codeOf(running.setParameters({ factor: 3 }, 0)), 'MILLRACE_PARAMETERS_VERSION');
  t.equal(await codeOf(running.setParameters({ '?': 3 })), 'MILLRACE_PARAMETERS_INVALID');

  const client = new MillraceClient({ url: host.url! });
  await client.setParameters('tuned', { factor: 'bad' });
  await client.setParameters('tuned', { factor: 4 });
  await prints('told of 4');
  t.equal(await codeOf(running.ingest('records', ['die'])), 'MILLRACE_INGEST_LOST');
  await prints('begins with {"factor":4,"region":"eu"}');
  await running.ingest('records', ['c']);
  t.ok(printed.includes('c 4'), 'the worker that took the place of the dead one begins with the newest');

  await running.setParameters({});
  await prints('told of 1');
  t.match(await client.parameters(), { version: 1, values: { region: 'eu' } });
  await running.kill();
  t.equal(await codeOf(running.parameters()), 'MILLRACE_PARAMETERS_ENDED');
  t.equal(await codeOf(client.setParameters('tuned', {})), 'MILLRACE_PARAMETERS_ENDED');
});

t.test('they are kept with what is wished, and the next life of the host begins with them', async (t) => {
  const dataDirectory = t.testdir({});
  const first = await Host.start({ dataDirectory, slots: 2 });
  const running = await first.submit(moduleUrl('tuned'));
  await running.setParameters({ factor: 7 });
  await first.close();
  const { prints } = await startHost(t, { dataDirectory });
  await prints('begins with {"factor":7}');
});

t.test('the log follows the level that is set of the cluster', async (t) => {
  const lines: string[] = [];
  const keep = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  const logger = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
  const { host, prints } = await startHost(t, { logger, logLevel: 'info' });
  const running = await host.submit(moduleUrl('tuned'));
  await prints('begins with {}');
  t.strictSame(lines, []);
  await host.setParameters({ 'millrace.logLevel': 'debug' });
  await running.kill();
  t.match(lines[0], /^info .*level "debug"/);
  t.ok(
    lines.slice(1).some((line) => line.startsWith('debug ')),
    lines.join('\n'),
  );
  await host.setParameters({});
  lines.length = 0;
  const again = await host.submit(moduleUrl('tuned'));
  await prints('begins with {}', 2);
  await again.kill();
  t.strictSame(
    lines.filter((line) => line.startsWith('debug ')),
    [],
    'without it the host is as it was started',
  );
});

t.test('a level lets through itself and what is above', async (t) => {
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const logger = new LeveledLogger({ debug: keep, info: keep, warn: keep, error: keep }, 'warn');
  const say = (): string[] => {
    lines.length = 0;
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level](level);
    return lines;
  };
  t.strictSame(say(), ['warn', 'error']);
  logger.follow({ 'millrace.logLevel': 'error' });
  t.strictSame(say(), ['error']);
  logger.follow({ 'millrace.logLevel': 'error', other: 1 });
  t.strictSame(lines.length, 1, 'which level it is is said once');
  logger.follow({ 'millrace.logLevel': 'debug' });
  t.strictSame(say(), ['debug', 'info', 'warn', 'error']);
  logger.follow({});
  t.strictSame(say(), ['warn', 'error']);
});
