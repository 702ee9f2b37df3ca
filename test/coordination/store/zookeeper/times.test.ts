// What a session makes of its times when they meet: deadlines that pass while the thread was busy and the answer had
// come, ends that nobody confirms, and steps of an opening that fail. Against a server that says what it is told to.

import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { FakeServer } from './fake-server.js';
import { again, op, opened, pass, settled, storeAt } from './fake-session.js';

void t.test('an opening that fails does not wait for the end of its session', async (t) => {
  const clock = new VirtualClock();
  const server = await FakeServer.start(t);
  const store = storeAt(`${server.address}/chroot`, clock, []);
  let over = false;
  const refused = settled(store.connect()).finally(() => (over = true));
  const connection = await server.greeted();
  connection.reply((await connection.request(op.exists)).xid, -102);
  const end = await connection.request(op.close);
  await pass(clock, 0);
  t.ok(over, 'before anybody has confirmed the end');
  t.match(await refused, { code: 'MILLRACE_STORE_FORBIDDEN' });
  connection.reply(end.xid);
  await connection.closed;
});
