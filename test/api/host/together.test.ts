// A host looks for the lead of a topology that it takes part in: it is tried again as long as that takes, and ended.

import t from 'tap';
import { openDoor } from '../../../api/host/open-door.js';
import { readDoor, Together } from '../../../api/host/together.js';
import type { JoinOrder } from '../../../coordination/host/runner.js';
import type { HostRecord } from '../../../coordination/topology-records.js';
import { VirtualClock } from '../../../engine/clock.js';
import type { Logger } from '../../../engine/log.js';

const record: HostRecord = { host: 'a', boot: 'a1', slots: 1 };
const lead = { host: 'a', boot: 'a1', slot: 0 };

async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

t.test('a lead that is not there yet, has no door, or does not lead it yet is looked for again', async (t) => {
  const clock = new VirtualClock();
  const opened = await openDoor({}, clock, () => undefined);
  t.teardown(() => opened.door.close());
  const said: string[] = [];
  const say = (level: string) => (line: string) => void said.push(`${level} ${line}`);
  const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  let found: HostRecord | null = null;
  const together = new Together({ ...opened, member: () => 'b~b1', hostAt: () => Promise.resolve(found) });
  let sources = 0;
  const source = () => {
    sources++;
    return Promise.resolve({ kind: 'document', document: null, settings: {} } as const);
  };
  const order = { name: 'lines', id: 'id-1', revision: 2, lead } as unknown as JoinOrder;
  const part = together.join(order, { slots: 1, spares: null, clock, logger, source, filesRoot: null });
  const pass = async (holds: () => boolean): Promise<void> => {
    while (!holds()) {
      await turn();
      clock.step(clock.now() + 100);
    }
  };
  await pass(() => said.length >= 2);
  t.match(said, [/^warn lines: host "a" is joined later: host "a", which leads topology "lines", cannot be/, /^debug/]);
  t.equal(sources, 0);
  found = { ...record, door: opened.address };
  const before = said.length;
  await pass(() => said.slice(before).some((line) => line.includes('asks for run "id-1 2"')));
  t.ok(sources > 0);
  t.notOk(
    said.slice(before).some((line) => line.startsWith('warn')),
    'a lead that is about to lead it is usual',
  );
  await part.end();
  t.match(said.at(-1), /takes no part in topology "lines" any more|asks for run/);
  t.equal(clock.nextDueMs(), undefined, 'no timer is left');
});

t.test('doors as hosts register them', async (t) => {
  t.strictSame(readDoor('127.0.0.1:7100'), { host: '127.0.0.1', port: 7100 });
  t.strictSame(readDoor('[::1]:7100'), { host: '::1', port: 7100 });
  for (const none of [undefined, '', 'a', ':1', '127.0.0.1', '127.0.0.1:x']) t.equal(readDoor(none), null);
});
