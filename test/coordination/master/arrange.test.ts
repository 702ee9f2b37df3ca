// Where a topology goes, case by case: at first, when hosts go, when it is rebalanced, and when a host is drained.

import t from 'tap';
import type { Placing } from '../../../coordination/placing.js';
import { arranged, at, caseOf, faultsOf, hostRecord, shown, wishFor, type Scene } from './kit.js';

const a = hostRecord('a', 4);
const b = hostRecord('b', 4);
const c = hostRecord('c', 4);

function places(scene: Scene): readonly string[] {
  const found = arranged(scene);
  t.strictSame(faultsOf(scene, found), []);
  return shown(found.places);
}

void t.test('workers are dealt evenly to hosts with free slots, most free ones first, then by name', (t) => {
  t.strictSame(places({ hosts: [c, b, a], wish: wishFor('w', 4) }), ['a/0', 'b/0', 'c/0', 'a/1']);
  t.strictSame(places({ hosts: [a, b, c], wish: wishFor('w', 2), others: at('a/0') }), ['b/0', 'c/0']);
  t.strictSame(places({ hosts: [a, hostRecord('b', 1)], wish: wishFor('w', 5) }), ['a/0', 'b/0', 'a/1', 'a/2', 'a/3']);
  t.strictSame(places({ hosts: [a, b], wish: wishFor('w', 1), others: at('a/1', 'b/0') }), ['a/0'], 'the lowest slot');
  t.end();
});

void t.test('at first all of it fits, or it waits and says why', (t) => {
  const waits = (scene: Scene, why: RegExp): void => {
    const { places, waiting } = arranged(scene);
    t.strictSame(places, []);
    t.match(waiting, why);
  };
  waits({ hosts: [], wish: wishFor('w', 1) }, /there is no host/);
  waits({ hosts: [a], wish: wishFor('w', 1), drained: ['a'] }, /there is no host that takes workers/);
  waits({ hosts: [a, b], wish: wishFor('w', 9) }, /not enough free slots for its 9 workers$/);
  waits({ hosts: [a], wish: wishFor('w', 1, { placing: { hostLabels: ['x', 'y'] } }) }, /has "x" and "y"/);
  const labelled = [a, hostRecord('b', 1, { labels: ['x'] })];
  waits({ hosts: labelled, wish: wishFor('w', 2, { placing: { hostLabels: ['x'] } }) }, /on hosts with its labels/);
  waits({ hosts: [a, b], wish: wishFor('w', 1), unsettled: ['a', 'b'] }, /there is no host/);
  t.end();
});

void t.test('hosts of another protocol, or without a door, share no topology', (t) => {
  const old = hostRecord('old', 5, { protocol: 0 });
  const { door: _, ...alone } = hostRecord('alone', 6);
  t.strictSame(places({ hosts: [a, old], wish: wishFor('w', 5) }), ['old/0', 'old/1', 'old/2', 'old/3', 'old/4']);
  t.strictSame(arranged({ hosts: [a, old], wish: wishFor('w', 6) }).places, []);
  t.strictSame(places({ hosts: [a, old, alone], wish: wishFor('w', 6) }).length, 6, 'all on the one without a door');
  t.strictSame(places({ hosts: [alone, a], wish: wishFor('w', 2) }), ['a/0', 'a/1'], 'a host with a door first');
  const grown = { hosts: [a, alone], wish: wishFor('w', 3, { change: 1 }), places: at('alone/2'), change: 0 };
  t.strictSame(places(grown), ['alone/2', 'alone/0', 'alone/1'], 'who leads alone grows alone');
  t.end();
});

void t.test('a host that goes takes its own workers with it, and nothing else moves', (t) => {
  const scene = { hosts: [a, b], wish: wishFor('w', 3), places: at('a/0', 'c/0', 'b/2') };
  t.match(arranged(scene), { isAnew: false, waiting: null });
  t.strictSame(places(scene), ['a/0', 'a/1', 'b/2']);
  const away = { ...scene, hosts: [a, b, c], away: ['c'] };
  t.strictSame(places(away), ['a/0', 'a/1', 'b/2'], 'not reached by its lead: as if it were gone');
  t.strictSame(places({ ...away, places: at('a/0', 'a/1', 'b/2') }), ['a/0', 'a/1', 'b/2']);
  const moment = { ...scene, gathering: ['c'] };
  t.strictSame(places(moment), ['a/0', 'c/0', 'b/2'], 'nothing is done before that is settled');
  t.end();
});

void t.test('a host that is not reached keeps workers that can be nowhere else', (t) => {
  const groups = [
    { labels: [], tasks: 1, apart: [] },
    { labels: ['gpu'], tasks: 1, apart: [] },
  ];
  const only = hostRecord('c', 4, { labels: ['gpu'] });
  const wish = wishFor('w', 2, { placing: { groups } });
  const scene = { hosts: [a, b, only], wish, places: at('a/0', 'c/0'), away: ['c'] };
  t.strictSame(places(scene), ['a/0', 'c/0'], 'all of it would stand still otherwise');
  t.match(arranged(scene), { isAnew: false });
  const other = hostRecord('d', 4, { labels: ['gpu'] });
  t.strictSame(places({ ...scene, hosts: [a, b, only, other] }), ['a/0', 'd/0']);
  t.strictSame(places({ ...scene, hosts: [a, b], away: [] }), [], 'one that is gone is waited for');
  t.end();
});

void t.test('a lead that reaches none of several hosts is cut off itself, and all of it goes elsewhere', (t) => {
  const scene = { hosts: [a, b, c], wish: wishFor('w', 3), places: at('a/0', 'b/0', 'c/0'), away: ['b', 'c'] };
  t.match(arranged(scene), { isAnew: true });
  t.strictSame([...places(scene)].sort(), ['b/0', 'b/1', 'c/0']);
  t.strictSame(places({ ...scene, away: ['c'] }), ['a/0', 'b/0', 'a/1'], 'it reaches one of them: the other one is');
  t.strictSame(places({ ...scene, hosts: [a, b] }), ['a/0', 'a/1', 'a/2'], 'of two nobody knows which is cut off');
  const only = { ...scene, others: at('b/1', 'b/2', 'b/3', 'c/1', 'c/2', 'c/3') };
  t.match(arranged(only), { isAnew: true, waiting: /^2 of its 3/ });
  const resting = { ...scene, wish: { ...scene.wish, wanted: 'inactive' as const } };
  t.match(arranged(resting), { isAnew: false }, 'one that rests is not started for that');
  t.end();
});

void t.test('when its lead goes it starts anew, where others of it are', (t) => {
  const scene = { hosts: [a, b, hostRecord('d', 9)], wish: wishFor('w', 3), places: at('c/0', 'a/1', 'b/2') };
  t.match(arranged(scene), { isAnew: true });
  t.strictSame(places(scene), ['a/0', 'a/1', 'b/2']);
  const full = { ...scene, others: at('a/0', 'a/2', 'a/3', 'b/0', 'b/1', 'b/3') };
  t.strictSame(places(full), ['d/0', 'a/1', 'b/2'], 'they are full: on another one');
  t.strictSame(places({ ...full, hosts: [a, b] }), ['b/2', 'a/1'], 'all are full: with fewer workers');
  t.match(arranged({ ...full, hosts: [a, b] }).waiting, /^2 of its 3 workers run/);
  t.match(arranged({ ...scene, hosts: [] }), { places: [], isAnew: true, waiting: /there is no host/ });
  t.match(arranged({ ...scene, wish: { ...scene.wish, wanted: 'inactive' } }), { places: [], waiting: null });
  t.match(arranged({ ...scene, gathering: ['c'] }), { isAnew: false, places: scene.places });
  t.end();
});

void t.test('without slots for who lost a host it goes on with fewer, and grows again when there are', (t) => {
  const small = [hostRecord('a', 1), hostRecord('b', 1), hostRecord('c', 1)];
  const [first, second, third] = small as [typeof a, typeof a, typeof a];
  const wish = wishFor('w', 3);
  const before = at('a/0', 'b/0', 'c/0');
  t.match(arranged({ hosts: [first, second], wish, places: before }), {
    isAnew: false,
    places: before.slice(0, 2),
    waiting: '2 of its 3 workers run, the others wait for free slots',
  });
  const hole = { hosts: [first, third], wish, places: before };
  t.match(arranged(hole), { isAnew: true, places: at('a/0', 'c/0') }, 'a worker in the middle: it starts anew');
  t.match(arranged({ hosts: [first], wish, places: before }), { isAnew: false, places: at('a/0') });
  t.match(arranged({ hosts: small, wish, places: at('a/0') }), { isAnew: false, places: before, waiting: null });
  t.match(arranged({ hosts: [second], wish, places: [], revision: 3 }), { places: at('b/0') }, 'it ran before');
  t.end();
});

void t.test('a rebalance gives it as many workers as are wished, and evens them out', (t) => {
  const wish = wishFor('w', 6, { change: 1 });
  const scene = { hosts: [a, b, c], wish, places: at('a/0', 'a/1', 'a/2', 'a/3'), change: 0 };
  t.match(arranged(scene), { isAnew: false, isSpread: true, waiting: null });
  t.strictSame(places(scene), ['a/0', 'a/1', 'c/1', 'b/1', 'b/0', 'c/0']);
  t.strictSame(places({ ...scene, wish: { ...wish, workers: 2 } }), ['a/0', 'b/0']);
  const narrow = { ...scene, hosts: [a, hostRecord('b', 1)] };
  t.match(arranged(narrow), { isSpread: false, places: scene.places, waiting: /rebalance to 6 workers waits/ });
  t.strictSame(places({ ...scene, wish: { ...wish, workers: 4 }, change: 1 }), shown(scene.places), 'only when asked');
  const placing: Placing = { autoRebalance: true };
  t.strictSame(
    places({ ...scene, wish: { ...wish, workers: 4, placing }, change: 1 }),
    ['a/0', 'a/1', 'c/0', 'b/0'],
    'or when it says that it spreads by itself',
  );
  t.end();
});

void t.test('workers leave a host that is drained, when there is room', (t) => {
  const scene = { hosts: [a, b], wish: wishFor('w', 3), places: at('a/0', 'b/0', 'b/1') };
  t.strictSame(places({ ...scene, drained: ['b'] }), ['a/0', 'a/1', 'a/2']);
  t.match(arranged({ ...scene, drained: ['a'] }), { isAnew: true, places: at('b/2', 'b/0', 'b/1') });
  const full = { ...scene, others: at('b/2', 'b/3', 'a/1', 'a/2') };
  t.match(arranged({ ...full, drained: ['a'] }), {
    isAnew: false,
    places: scene.places,
    waiting: /"a", to be drained/,
  });
  t.strictSame(places({ ...full, drained: ['b'] }), ['a/0', 'a/3', 'b/1'], 'as many as can');
  const rests = { ...scene, wish: wishFor('w', 3, { wanted: 'inactive' }) };
  t.match(arranged({ ...rests, drained: ['a'] }), { isAnew: true, places: [] }, 'one that rests needs no place');
  t.strictSame(places({ ...rests, drained: ['b'] }), ['a/0', 'a/1', 'a/2']);
  const { door: _, ...alone } = hostRecord('alone', 6);
  const single = { hosts: [alone, a], wish: wishFor('w', 2), places: at('alone/0', 'alone/1'), drained: ['alone'] };
  t.match(arranged(single), { isAnew: true, places: at('a/0', 'a/1') });
  t.end();
});

void t.test('labels and who is to be apart hold, also with fewer workers', (t) => {
  const gpu = hostRecord('g', 2, { labels: ['gpu', 'eu'] });
  const groups = [
    { labels: [], tasks: 4, apart: [2] },
    { labels: ['gpu'], tasks: 1, apart: [] },
    { labels: [], tasks: 1, apart: [0] },
  ];
  const wish = wishFor('w', 4, { placing: { groups } });
  const scene = { hosts: [a, b, gpu], wish };
  t.strictSame(faultsOf(scene, arranged(scene)), []);
  t.equal(places(scene).length, 4);
  t.match(arranged({ ...scene, hosts: [a, b] }), { places: [], waiting: /has "gpu"/ });
  t.match(arranged({ ...scene, hosts: [gpu] }), { places: [], waiting: /not enough .* apart from each other/ });
  const lost = { hosts: [a, gpu], wish, places: arranged(scene).places };
  const mended = arranged(lost);
  t.strictSame(faultsOf(lost, mended), []);
  t.ok(mended.places.length >= 2, 'it goes on');
  t.end();
});

void t.test('what was tried in vain changes nothing in the room', (t) => {
  const scene = { hosts: [a, b], wish: wishFor('w', 9), others: at('a/0') };
  const each = caseOf(scene);
  arranged(scene);
  t.equal(each.room.shared[0]!.free, 7);
  t.equal(each.room.hosts.get('a~1')!.next, 1);
  t.end();
});
