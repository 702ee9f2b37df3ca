// What nodes hold, told by their paths: each record of ours, and whatever else may stand there instead.

import fc from 'fast-check';
import t from 'tap';
import { contentOf, PIECES_MAX, rawOf } from '../../../coordination/inspect/content.js';
import { kindOf } from '../../../coordination/inspect/kinds.js';
import { LAYOUT } from '../../../coordination/paths.js';
import { toData } from '../../../coordination/store/json-node.js';
import { text } from '../store/contract.js';

const wish = {
  name: 'words',
  id: 'words-1',
  wanted: 'active',
  kill: null,
  submittedAtMs: 1,
  workers: 2,
  tasks: 3,
  artifacts: [],
  pieces: 1,
};
const assignment = {
  ...{ name: 'words', id: 'words-1', epoch: 4, revision: 2, wanted: 'active', kill: null },
  places: [{ host: 'a', boot: 'b', slot: 0 }],
};
const payload = {
  source: { kind: 'document', document: {} },
  posted: true,
  settings: {},
  description: { name: 'words' },
};
const ended = {
  name: 'words',
  id: 'words-1',
  state: 'killed',
  reason: null,
  submittedAtMs: 1,
  endedAtMs: 2,
  workers: 1,
  tasks: 1,
};
const final = { revision: 2, status: 'completed', error: null, final: null, startedAtMs: 1, endedAtMs: 2 };
const report = { host: 'a', boot: 'b', runs: [{ id: 'words-1', revision: 2, state: 'running' }] };

const records: readonly (readonly [path: string, record: string, value: unknown, line: string])[] = [
  ['/epoch', 'epoch', { epoch: 4, member: 'a~b', nonce: 'n' }, 'epoch 4 of a~b'],
  ['/masters/x_0000000001', 'candidate', 'a~b', 'a~b'],
  ['/hosts/a~b', 'host', { host: 'a', boot: 'b', slots: 4 }, 'a with 4 slots'],
  ['/reports/a~b', 'report', report, 'a runs words-1 running'],
  ['/reports/a~b', 'report', { ...report, runs: [] }, 'a runs nothing'],
  ['/topologies/words', 'wish', wish, 'words-1 wanted active, 2 workers, 3 tasks'],
  ['/assignments/words', 'assignment', assignment, 'words-1 revision 2 of epoch 4 on a#0'],
  ['/assignments/words', 'assignment', { ...assignment, places: [] }, 'words-1 revision 2 of epoch 4 nowhere'],
  ['/checkpoints/words-1', 'claim', { revision: 7 }, 'of revision 7'],
  ['/finals/words-1', 'final', final, 'revision 2 completed'],
  ['/history/h_0000000001', 'ended', ended, 'words (words-1) killed'],
];

t.test('each record is decoded by its path', (t) => {
  for (const [path, record, value, line] of records) {
    t.strictSame(contentOf({ path, data: toData(value) }), { kind: 'record', record, value, line }, path);
  }
  t.end();
});

t.test('every directory of the layout has a kind, and so has what is in it', (t) => {
  for (const path of LAYOUT) {
    t.equal(kindOf(path).kind, 'directory', path);
    t.strictSame(contentOf({ path, data: new Uint8Array() }), { kind: 'empty' });
    t.not(kindOf(`${path}/x`).kind, 'unknown', `${path}/x`);
  }
  t.equal(kindOf('/elsewhere').kind, 'unknown');
  t.equal(kindOf('/hosts/a/b').kind, 'unknown');
  t.end();
});

t.test('a payload is put together from its pieces, in their order', (t) => {
  const whole = toData({ ...payload, settings: { long: 'x'.repeat(50) } });
  const third = Math.ceil(whole.byteLength / 11);
  const pieces = Array.from({ length: 11 }, (_, number) => ({
    name: String(number),
    data: whole.subarray(number * third, (number + 1) * third),
  }));
  const node = { path: '/payloads/words-1', data: new Uint8Array() };
  const sorted = pieces.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  t.match(contentOf(node, sorted), { kind: 'record', record: 'payload', line: 'a document', value: { posted: true } });
  t.strictSame(contentOf(node), { kind: 'empty' }, 'none is there yet');
  const without = contentOf(
    node,
    sorted.filter(({ name }) => name !== '3'),
  );
  t.match(without, { kind: 'damaged', record: 'payload', error: { code: 'MILLRACE_STORE_CONTENT' } });
  t.match(without, { error: { message: /"\/payloads\/words-1".*piece 3 of 10 is missing/ } });
  const many = Array.from({ length: PIECES_MAX + 1 }, (_, number) => ({ name: String(number), data: text('1') }));
  t.match(contentOf(node, many), { kind: 'damaged', error: { message: /more than \d+ pieces/ } });
  const piece = contentOf({ path: '/payloads/words-1/0', data: pieces[0]!.data });
  t.match(piece, { kind: 'piece', record: 'payload', text: /^\{"source"/ });
  t.end();
});

t.test('progress is unpacked by whoever can', (t) => {
  const node = { path: '/checkpoints/words-1/3', data: toData([['lines', 'a.txt', 'YWI=']]) };
  t.match(contentOf(node), {
    record: 'progress',
    line: '1 partition',
    value: [{ component: 'lines', progress: 'YWI=' }],
  });
  const unpack = (packed: Uint8Array): unknown => Buffer.from(packed).toString();
  t.match(contentOf(node, [], { unpack }), { value: [{ partition: 'a.txt', progress: 'ab' }] });
  const broken = contentOf(node, [], {
    unpack: () => {
      throw new Error('no such thing');
    },
  });
  t.match(broken, {
    kind: 'damaged',
    error: { message: /"\/checkpoints\/words-1\/3".*"a\.txt" of "lines": no such thing/ },
  });
  t.end();
});

t.test('other data is what it looks like', (t) => {
  t.strictSame(rawOf(new Uint8Array()), { kind: 'empty' });
  t.strictSame(rawOf(text('{"a":1}')), { kind: 'json', value: { a: 1 } });
  t.strictSame(rawOf(text('größe\n\t1')), { kind: 'text', text: 'größe\n\t1' });
  t.strictSame(rawOf(text('a\u001b[31m')), { kind: 'binary', hex: '611b5b33316d' }, 'what would garble a terminal');
  t.strictSame(rawOf(Uint8Array.of(0xff, 0)), { kind: 'binary', hex: 'ff00' });
  t.end();
});

t.test('whatever was written into a node of ours is shown, with an error that names the path', (t) => {
  const path = fc.constantFrom(
    ...records.map(([each]) => each),
    '/checkpoints/words-1/3',
    '/payloads/x',
    '/payloads/x/0',
  );
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map(text),
    // The right keys with anything behind them.
    fc
      .tuple(
        fc.constantFrom(...records.map(([, , value]) => value)),
        fc.array(fc.jsonValue(), { minLength: 12, maxLength: 12 }),
      )
      .map(([value, others]) => {
        if (typeof value !== 'object' || value === null) return toData(others[0]);
        return toData(Object.fromEntries(Object.keys(value).map((key, at) => [key, others[at]])));
      }),
  );
  fc.assert(
    fc.property(path, data, data, (path, data, piece) => {
      const content = contentOf({ path, data }, [{ name: '0', data: piece }]);
      if (content.kind !== 'damaged') return true;
      return content.error.code === 'MILLRACE_STORE_CONTENT' && content.error.message.includes(`"${path}"`);
    }),
    { numRuns: 2000 },
  );
  t.end();
});
