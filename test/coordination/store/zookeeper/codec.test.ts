// The wire of ZooKeeper without a server: packets in arbitrary pieces, replies that lie about their lengths, numbers of
// errors, and the packets that tell which watches there are.

import fc from 'fast-check';
import t from 'tap';
import {
  dataRecord,
  greetingOf,
  longOf,
  nextXid,
  packetOf,
  protocolRecord,
  Reader,
  Unreadable,
} from '../../../../coordination/store/zookeeper/codec.js';
import { errorName, refusal } from '../../../../coordination/store/zookeeper/errors.js';
import { Frames } from '../../../../coordination/store/zookeeper/frames.js';
import { packetsOf } from '../../../../coordination/store/zookeeper/watch-packets.js';

const packed = (body: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
};

/** What comes out when these bytes come in pieces of these lengths. */
function framesOf(bytes: Buffer, lengths: readonly number[], bodyBytesMax = 1000): Buffer[] {
  const frames = new Frames(bodyBytesMax);
  const bodies: Buffer[] = [];
  const take = (body: Buffer): boolean => bodies.push(Buffer.from(body)) > 0;
  let at = 0;
  for (const length of lengths) {
    frames.push(bytes.subarray(at, at + length), take);
    at += length;
  }
  frames.push(bytes.subarray(at), take);
  return bodies;
}

void t.test('packets come out as they went in, in whatever pieces they arrive', async (t) => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 });
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 80 }), (sent, lengths) => {
      const received = framesOf(Buffer.concat(sent.map(packed)), lengths);
      return Buffer.concat(received).equals(Buffer.concat(sent)) && received.length === sent.length;
    }),
  );
  t.pass('always');
});

void t.test('a length that cannot be is told before anything is kept', async (t) => {
  const http = Buffer.from('HTTP/1.1 400 Bad Request\r\n');
  t.throws(() => framesOf(http, []), { name: 'Unreadable', message: /a packet of 1213486160 bytes/ });
  t.throws(() => framesOf(packed(Buffer.alloc(1001)), [2, 2]), Unreadable);
  t.throws(() => framesOf(Buffer.from([255, 255, 255, 255]), [1]), Unreadable);
  t.equal(framesOf(packed(Buffer.alloc(1000)), []).length, 1);
  const frames = new Frames(1000);
  let calls = 0;
  frames.push(Buffer.concat([packed(Buffer.alloc(1)), packed(Buffer.alloc(1))]), () => ++calls < 1);
  t.equal(calls, 1, 'who is stopped is not called again');
});

void t.test('a reply whose lengths lie is refused before a record believes them', async (t) => {
  const stat = dataRecord('Stat');
  const good = protocolRecord('GetDataResponse', Buffer.from('data'), stat);
  const body = Buffer.alloc(good.byteLength());
  good.serialize(body, 0);
  t.match(new Reader(body, 0).protocol('GetDataResponse')['data'], Buffer.from('data'));
  for (const length of [-2, 5_000, 2_147_483_647, -2_147_483_648]) {
    const bad = Buffer.from(body);
    bad.writeInt32BE(length, 0);
    t.throws(() => new Reader(bad, 0).protocol('GetDataResponse'), Unreadable, `length ${length}`);
  }
  for (let length = 0; length < body.length; length++) {
    t.throws(() => new Reader(body.subarray(0, length), 0).protocol('GetDataResponse'), Unreadable);
  }
  const names = Buffer.alloc(8);
  names.writeInt32BE(2_147_483_647, 0);
  names.writeInt32BE(-5, 4);
  t.throws(() => new Reader(names, 0).protocol('GetChildren2Response'), Unreadable, 'a count that lies');
});

void t.test('whatever a server sends is read or refused', async (t) => {
  const replies = ['ConnectResponse', 'GetDataResponse', 'GetChildren2Response', 'GetACLResponse', 'WatcherEvent'];
  fc.assert(
    fc.property(fc.constantFrom(...replies), fc.uint8Array({ maxLength: 120 }), (name, bytes) => {
      try {
        new Reader(Buffer.from(bytes), 0).protocol(name);
        return true;
      } catch (error) {
        return error instanceof Unreadable;
      }
    }),
  );
  t.pass('always');
});

void t.test('requests are numbered from 1 to 2^30 and from 1 again', async (t) => {
  t.strictSame([nextXid(0), nextXid(1), nextXid(2 ** 30 - 1), nextXid(2 ** 30)], [1, 2, 2 ** 30, 1]);
  t.equal(packetOf(7, 11, null).toString('hex'), '00000008000000070000000b');
});

void t.test('the greeting says that it wants no server that only reads', async (t) => {
  const greeting = greetingOf(5n, 8000, -2n, Buffer.from('0123456789abcdef'));
  t.equal(greeting.readInt32BE(0), greeting.length - 4);
  t.equal(greeting.length, 4 + 4 + 8 + 4 + 8 + 4 + 16 + 1);
  t.strictSame([greeting.readBigInt64BE(8), greeting.readInt32BE(16), greeting.readBigInt64BE(20)], [5n, 8000, -2n]);
  t.equal(greeting.at(-1), 0);
});

void t.test('every number of an error becomes an error that says what was asked', async (t) => {
  const subject = { what: 'set "/a/b"', doing: 'write', path: '/a/b', missing: '/a', version: 3 };
  const expected: readonly (readonly [number, string, RegExp])[] = [
    [-101, 'MILLRACE_STORE_NO_NODE', /"\/a"/],
    [-110, 'MILLRACE_STORE_NODE_EXISTS', /"\/a\/b"/],
    [-103, 'MILLRACE_STORE_BAD_VERSION', /does not have version 3/],
    [-111, 'MILLRACE_STORE_NOT_EMPTY', /"\/a\/b"/],
    [-108, 'MILLRACE_STORE_EPHEMERAL_PARENT', /"\/a\/b"/],
    [-102, 'MILLRACE_STORE_FORBIDDEN', /may not write node "\/a\/b"/],
    [-114, 'MILLRACE_STORE_ACCESS', /does not take them/],
    [-125, 'MILLRACE_STORE_FULL', /quota/],
    [-118, 'MILLRACE_STORE_UNAVAILABLE', /SESSION_MOVED/],
    [-119, 'MILLRACE_STORE_UNAVAILABLE', /NOT_READ_ONLY/],
    [-127, 'MILLRACE_STORE_UNAVAILABLE', /THROTTLED/],
    [-6, 'MILLRACE_ZOOKEEPER_REFUSED', /set "\/a\/b" with error -6 \(UNIMPLEMENTED\)/],
    [-9999, 'MILLRACE_ZOOKEEPER_REFUSED', /error -9999 \(unknown here\)/],
    [1, 'MILLRACE_ZOOKEEPER_REFUSED', /error 1 /],
  ];
  for (const [number, code, message] of expected)
    t.match(refusal(number, subject), { code, message }, errorName(number));
});

void t.test('watches are told in pieces that a server takes', async (t) => {
  const path = (index: number): string => `/${'x'.repeat(95)}${String(index).padStart(5, '0')}`;
  const data = Array.from({ length: 11_000 }, (_, index) => path(index));
  const packets = packetsOf(7n, { data, exist: ['/e'], child: ['/c', '/d'] });
  t.equal(packets.length, 12);
  const told = { dataWatches: [] as unknown[], existWatches: [] as unknown[], childWatches: [] as unknown[] };
  for (const { xid, operation, payload } of packets) {
    t.strictSame([xid, operation], [-8, 101]);
    t.ok(payload.byteLength() < 110_000);
    t.strictSame(payload['relativeZxid'], longOf(7n));
    for (const kind of Object.keys(told) as (keyof typeof told)[]) told[kind].push(...(payload[kind] as unknown[]));
  }
  t.strictSame(told, { dataWatches: data, existWatches: ['/e'], childWatches: ['/c', '/d'] });
  t.strictSame(packetsOf(7n, { data: [], exist: [], child: [] }), [], 'nothing to tell');
});
