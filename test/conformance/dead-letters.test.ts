// What fails too often is given up: C28 and C117, with dead letters that are tuples of their own and not lost either.

import { onEachTransport, range, topologyUrl } from './transports.js';

onEachTransport(
  'C28 what is given up comes as a dead letter, until somebody has handled that',
  topologyUrl('giving-up'),
  { fed: ['command'] },
  async (t, run) => {
    await run.advance('2s');
    const sortingTask = run.of('executed', 'sorting').find(({ values }) => values[0] === 1)?.task;
    t.type(sortingTask, 'number');
    const attempts = run.executed('sorting').filter(([n, what]) => n === 1 && what === 'bad').length;
    t.ok(attempts >= 3, 'it was tried again twice');
    const [letter] = run.emitted('iterated', 'dead-letter');
    t.strictSame(letter, ['MILLRACE_TASK_THREW', '1 is bad', 'sorting', 3, 'default', [1, 'bad']]);
    const [classy] = run.emitted('classy', 'dead-letter');
    t.strictSame(classy, ['MILLRACE_TASK_THREW', '2 is bad', 'sorting', 2, 'numbered', [2, 'bad']]);
    t.equal(run.printed.at(-1), 'low 2', 'progress stands before what has no letter kept');
    const tries = run.emitted('iterated', 'dead-letter').length;
    t.ok(tries > 1, 'a letter that fails is emitted again');
    t.ok(tries < 10, 'with a back-off of its own');
    t.equal(run.emitted('iterated').filter(([n]) => n === 1).length, 3, 'and the tuple is not');
    const made = run.emitted('made').filter(([, what]) => what === 'bad');
    t.not(made.length, 0);
    t.same(
      new Set(run.emitted('made', 'dead-letter').map((values) => JSON.stringify(values.at(-1)))),
      new Set(made.map((values) => JSON.stringify(values))),
      'without retries each failure is the last one',
    );
    t.equal(run.status().components['iterated']?.metrics['deadLetters'], 1);
    t.equal(run.status().components['made']?.metrics['deadLetters'], made.length);
    run.feed('command', ['keep']);
    run.endFeed('command');
    await run.advance('1m');
    t.equal((await run.completed).status, 'completed', 'then the spouts are done');
    t.equal(run.printed.at(-1), 'low 4');
    t.same(
      new Set(run.acked('iterated')),
      new Set(range(4)),
      'the id of the letter is that of the tuple, so that it is acked once',
    );
    t.equal(run.acked('iterated').length, 4);
  },
);
