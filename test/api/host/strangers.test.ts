// Who knocked and does not belong: counted by address and reason, logged once, and never too many.

import t from 'tap';
import { Strangers } from '../../../api/host/strangers.js';
import { STRANGERS_KEPT } from '../../../engine/limits.js';

t.test('each is counted, and logged once', (t) => {
  const logged: string[] = [];
  let nowMs = 100;
  const strangers = new Strangers({ warn: (line) => void logged.push(line) }, () => nowMs++);
  t.strictSame(strangers.list(), []);
  strangers.add('10.0.0.1', 'wrong secret');
  strangers.add('10.0.0.2', 'wrong secret');
  strangers.add('10.0.0.1', 'other protocol');
  strangers.add('10.0.0.2', 'wrong secret');
  t.strictSame(strangers.list(), [
    { address: '10.0.0.2', reason: 'wrong secret', count: 2, atMs: 103 },
    { address: '10.0.0.1', reason: 'other protocol', count: 1, atMs: 102 },
    { address: '10.0.0.1', reason: 'wrong secret', count: 1, atMs: 100 },
  ]);
  t.strictSame(logged, [
    'somebody at 10.0.0.1 was refused at the door of this host: wrong secret',
    'somebody at 10.0.0.2 was refused at the door of this host: wrong secret',
    'somebody at 10.0.0.1 was refused at the door of this host: other protocol',
  ]);
  t.end();
});

t.test('the one not seen for longest makes room', (t) => {
  const strangers = new Strangers({ warn: () => undefined }, () => 0);
  for (let n = 0; n < STRANGERS_KEPT; n++) strangers.add(`10.0.0.${n}`, 'no');
  strangers.add('10.0.0.0', 'no');
  strangers.add('10.0.1.0', 'no');
  const kept = strangers.list().map(({ address }) => address);
  t.equal(kept.length, STRANGERS_KEPT);
  t.strictSame(kept.slice(0, 2), ['10.0.1.0', '10.0.0.0']);
  t.notOk(kept.includes('10.0.0.1'));
  t.end();
});
