// What a topology waits for, in words: the reason of the master and the slots that there are.

import t from 'tap';
import type { KnownHost } from '../../coordination/hosts.js';
import type { LiveTopology } from '../../coordination/topologies.js';
import type { Placing } from '../../coordination/placing.js';
import type { Wish } from '../../coordination/topology-records.js';
import { isWaiting, waitsFor } from '../../coordination/waiting.js';

function host(name: string, slots: number, used: number, more: Partial<KnownHost> = {}): KnownHost {
  return {
    host: name,
    boot: '1',
    slots,
    used,
    state: 'up',
    master: false,
    drainedSinceMs: null,
    problem: null,
    ...more,
  };
}

/** One that is wished with three workers. */
function known(waiting: string | null, placed = 0, placing: Placing = {}): LiveTopology {
  const wish: Wish = {
    name: 'words',
    id: 'w',
    wanted: 'active',
    kill: null,
    submittedAtMs: 1,
    workers: 3,
    tasks: 6,
    artifacts: [],
    pieces: 1,
    placing,
  };
  const places = Array.from({ length: placed }, (_, slot) => ({ host: 'a', boot: '1', slot }));
  const says = waiting === null ? {} : { waiting };
  const state = placed > 0 ? 'active' : 'waiting';
  const assignment = {
    name: 'words',
    id: 'w',
    epoch: 1,
    revision: 1,
    wanted: 'active',
    kill: null,
    places,
    ...says,
  } as const;
  return { kind: 'live', name: 'words', id: 'w', state, wish, assignment };
}

t.test('the reason of the master, with the slots that are asked for and free', (t) => {
  const hosts = [host('a', 2, 2), host('b', 4, 3)];
  t.equal(
    waitsFor(known('not enough free slots for its 3 workers'), hosts),
    'not enough free slots for its 3 workers; 3 slots asked for, 1 free (a 0 of 2, b 1 of 4)',
  );
  t.equal(
    waitsFor(known('2 of its 3 workers run, the others wait for free slots', 2), hosts),
    '2 of its 3 workers run, the others wait for free slots; 1 slot more asked for, 1 free (a 0 of 2, b 1 of 4)',
  );
  t.equal(
    waitsFor({ ...known(null), assignment: null }, []),
    'the master has not decided on it yet; 3 slots asked for, 0 free',
  );
  t.end();
});

t.test('what runs on a drained host asks for as many slots elsewhere', (t) => {
  const hosts = [host('a', 3, 3, { state: 'draining', drainedSinceMs: 1 }), host('b', 4, 3)];
  t.equal(
    waitsFor(known('no room on other hosts', 3), hosts),
    'no room on other hosts; 3 slots more asked for, 1 free (b 1 of 4); drained: a',
  );
  t.end();
});

t.test('hosts that are drained, leave or lack a label take none of it', (t) => {
  const drained = { drainedSinceMs: 5 };
  const hosts = [
    host('a', 2, 0, { labels: ['gpu', 'x'] }),
    host('b', 2, 0),
    host('c', 2, 1, { ...drained, state: 'draining' }),
    host('d', 0, 0, { ...drained, state: 'away' }),
    host('e', 2, 0, { state: 'leaving' }),
  ];
  t.equal(
    waitsFor(known('no room', 0, { hostLabels: ['gpu'] }), hosts),
    'no room; 3 slots asked for, 2 free (a 2 of 2); drained: c, d; leaving: e; without the labels gpu: b',
  );
  const many = Array.from({ length: 13 }, (_, index) => host(`h${index}`, 1, 1));
  t.match(waitsFor(known('no room'), many), /0 free \(h0 0 of 1, .*, h9 0 of 1 and 3 more\)$/);
  t.end();
});

t.test('a host that never came, or is gone, is waited for by its name', (t) => {
  const placed = known(null, 2);
  const places = [...placed.assignment!.places, { host: 'ghost', boot: '9', slot: 0 }];
  const ghostly: LiveTopology = { ...placed, assignment: { ...placed.assignment!, places } };
  t.equal(isWaiting(ghostly, new Set(['a~1'])), true);
  t.equal(
    waitsFor(ghostly, [host('a', 4, 2)]),
    'not there: ghost, so the master has to place it anew; 1 slot more asked for, 2 free (a 2 of 4)',
  );
  t.match(
    waitsFor(ghostly, [host('a', 4, 2, { boot: '2' })]),
    /^not there: a, ghost, so .* 3 slots more/,
    'another life',
  );
  t.end();
});

t.test('what runs, rests or has ended waits for nothing', (t) => {
  const runs = known(null, 3);
  const rests: LiveTopology = { ...known(null), wish: { ...known(null).wish, wanted: 'inactive' } };
  const ended = { kind: 'ended', name: 'words', id: 'w', state: 'killed', ended: {} } as never;
  const there = new Set(['a~1']);
  for (const each of [runs, rests, ended]) {
    t.strictSame([isWaiting(each, there), waitsFor(each, [host('a', 3, 3)])], [false, null]);
  }
  t.end();
});
