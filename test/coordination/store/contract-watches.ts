// Part of the suite of the contract: what sessions tell, of nodes that are followed and of themselves.

import type { Test } from 'tap';
import type { Subscription } from '../../../coordination/store/contract.js';
import { Seen, text, textOf, twoSessions, type Opened } from './contract-kit.js';

/** Runs this part. */
export function watchSuite(t: Test, name: string, open: (t: Test) => Promise<Opened>): void {
  const test = twoSessions(t, name, open);

  test('a watch of a node tells its state and every last one', async (t, a, b) => {
    const seen = new Seen<string | null>();
    const watch = b.watchNode('/w', (node) => seen.listener(node === null ? null : textOf(node.data)));
    t.equal(seen.states.length, 0, 'not before it returns');
    await seen.until((state) => state === null);
    await a.create('/w', text('0'));
    await seen.until((state) => state === '0');
    for (let i = 1; i <= 50; i++) await a.set('/w', text(String(i)), null);
    await seen.until((state) => state === '50');
    const numbers = seen.states.slice(1).map(Number);
    t.strictSame(
      numbers,
      [...numbers].sort((x, y) => x - y),
      'never back',
    );
    await a.delete('/w', null);
    await a.create('/w', text('new'));
    await seen.until((state) => state === 'new');
    watch.close();
    watch.close();
    const before = seen.states.length;
    await a.set('/w', text('unheard'), null);
    await b.sync('/w');
    await b.get('/w');
    t.equal(seen.states.length, before);
  });

  test('a watch of children tells their names and every last list', async (t, a, b) => {
    const seen = new Seen<readonly string[] | null>();
    b.watchChildren('/w', seen.listener);
    await seen.until((names) => names === null);
    await a.create('/w', text(''));
    await seen.until((names) => names?.length === 0);
    await Promise.all(['c', 'a', 'b'].map((name) => a.create(`/w/${name}`, text(''))));
    await seen.until((names) => names?.join() === 'a,b,c');
    const before = seen.states.length;
    await a.set('/w', text('x'), null);
    await a.set('/w/a', text('x'), null);
    await a.multi(['a', 'b', 'c'].map((name) => ({ type: 'delete', path: `/w/${name}`, version: null }) as const));
    await seen.until((names) => names?.length === 0);
    t.equal(seen.states.length, before + 1, 'data is none of its business, and a transaction is one change');
    await a.delete('/w', null);
    await seen.until((names) => names === null);
  });

  test('a listener that closes its own watch takes it from nobody else', async (t, a, b) => {
    await a.create('/w', text(''));
    await b.sync('/w');
    const closed = new Seen<readonly string[] | null>();
    const once = b.watchNode('/w', () => once.close());
    b.watchChildren('/w', closed.listener);
    const again = new Seen<readonly string[] | null>();
    const first = a.watchChildren('/w', () => {
      first.close();
      a.watchChildren('/w', again.listener);
    });
    await Promise.all([closed, again].map((seen) => seen.until((names) => names?.length === 0)));
    // By now each session has let go what nobody follows.
    await Promise.all([a, b].map((session) => session.sync('/w')));
    await a.create('/w/c', text(''));
    await Promise.all([closed, again].map((seen) => seen.until((names) => names?.join() === 'c')));
    t.strictSame([closed.states.at(-1), again.states], [['c'], [[], ['c']]]);
  });

  test('what a failed transaction did before it failed is seen by nobody', async (t, a, b) => {
    await a.create('/w', text('0'));
    await b.sync('/w');
    const seen = new Seen<string | null>();
    b.watchNode('/w', (node) => seen.listener(node === null ? null : textOf(node.data)));
    await seen.until((state) => state === '0');
    await a
      .multi([
        { type: 'set', path: '/w', data: text('never'), version: null },
        { type: 'check', path: '/none', version: null },
      ])
      .catch(() => undefined);
    await a.set('/w', text('1'), 0);
    await seen.until((state) => state === '1');
    t.strictSame(seen.states, ['0', '1']);
  });

  test('a listener may call the store, and one that throws disturbs nobody', async (t, a, b) => {
    const seen = new Seen<string>();
    await a.create('/w', text('0'));
    await b.sync('/w');
    a.watchNode('/w', () => {
      throw new Error('thrown by a listener');
    });
    a.onEvent(() => {
      throw new Error('thrown by a listener');
    });
    b.watchNode('/w', (node) => {
      void b.get('/w').then((read) => seen.listener(`${textOf(node?.data ?? text(''))} ${textOf(read.data)}`));
    });
    await seen.until((state) => state === '0 0');
    await a.set('/w', text('1'), null);
    await seen.until((state) => state === '1 1');
    await a.close();
  });

  test('who is taken off the events of a session is told nothing from then on', async (t, a) => {
    const told: string[] = [];
    let second: Subscription | null = null;
    a.onEvent(() => {
      told.push('first');
      second?.close();
    });
    second = a.onEvent(() => told.push('second'));
    await a.close();
    t.strictSame(told, ['first']);
  });
}
