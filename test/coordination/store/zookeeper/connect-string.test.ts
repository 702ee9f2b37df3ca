// Connection strings of ZooKeeper: what is read, and which part is told when it cannot be.

import fc from 'fast-check';
import t from 'tap';
import { parseConnectString, serverName } from '../../../../coordination/store/zookeeper/connect-string.js';

void t.test('servers with ports, without, with addresses of IPv6, and a path', async (t) => {
  const read = parseConnectString(' zk1:2181, zk2 ,[2001:db8::3]:2183,[::1],10.0.0.7:21811/prod/one ');
  t.strictSame(read, {
    servers: [
      { host: 'zk1', port: 2181 },
      { host: 'zk2', port: 2181 },
      { host: '2001:db8::3', port: 2183 },
      { host: '::1', port: 2181 },
      { host: '10.0.0.7', port: 21811 },
    ],
    chroot: '/prod/one',
  });
  t.strictSame(read.servers.map(serverName)[2], '[2001:db8::3]:2183');
  t.strictSame(parseConnectString('zk1,ZK1:2181,zk1:2182/'), {
    servers: [
      { host: 'ZK1', port: 2181 },
      { host: 'zk1', port: 2182 },
    ],
    chroot: '',
  });
});

void t.test('what cannot be read is told by its part', async (t) => {
  const wrong: readonly (readonly [text: string, part: string, reason: RegExp])[] = [
    ['', '', /there is no server/],
    ['/prod', '', /there is no server/],
    ['zk1:2181,,zk2', '', /there is no server/],
    ['zk1:2181/prod,zk2:2181/prod', '/prod,zk2:2181/prod', /stands once/],
    ['zk1/prod/', '/prod/', /a name in it is empty/],
    ['zk1/..', '/..', /is not a name/],
    ['zk1:99999', 'zk1:99999', /"99999" is no port/],
    ['zk1:0', 'zk1:0', /"0" is no port/],
    ['zk1:', 'zk1:', /"" is no port/],
    ['zk1:2181x', 'zk1:2181x', /"2181x" is no port/],
    ['::1', '::1', /in brackets/],
    ['2001:db8::3:2181', '2001:db8::3:2181', /in brackets/],
    ['[::1', '[::1', /not closed/],
    ['[zk1]:2181', '[zk1]:2181', /"zk1" is no IPv6 address/],
    ['[::1]2181', '[::1]2181', /behind the bracket/],
    ['zk 1:2181', 'zk 1:2181', /no name of a host/],
    ['http://zk1:2181', '//zk1:2181', /a name in it is empty/],
    [Array.from({ length: 65 }, (_, index) => `zk${index}`).join(), 'zk64', /more than 64 servers/],
  ];
  for (const [text, part, reason] of wrong) {
    const expected = { code: 'MILLRACE_ZOOKEEPER_CONNECT_STRING', status: 400, message: reason };
    t.throws(() => parseConnectString(text), expected, text);
    try {
      parseConnectString(text);
    } catch (error) {
      t.ok((error as Error).message.includes(` at "${part}": `), (error as Error).message);
    }
  }
});

void t.test('whatever is written, it is read or told', async (t) => {
  const piece = fc.constantFrom('zk', '1', ':', ',', '[', ']', '/', ' ', '::', '.', '2181', 'é');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        const { servers, chroot } = parseConnectString(pieces.join(''));
        const again = parseConnectString(servers.map(serverName).join() + chroot);
        return servers.length > 0 && JSON.stringify(again) === JSON.stringify({ servers, chroot });
      } catch (error) {
        return (error as { code?: unknown }).code === 'MILLRACE_ZOOKEEPER_CONNECT_STRING';
      }
    }),
  );
  t.pass('every one of them');
});
