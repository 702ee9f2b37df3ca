// What must compile, as users write it: every way to give a component, and every way to subscribe. Built with
// everything else; what must not compile stands in refused/. Run by builder.test.ts.

import { Bolt, Spout, defineBolt, defineSpout, topology } from '../../engine/index.js';
import type {
  BoltSpec,
  Chosen,
  CustomGrouping,
  DynamicOutputs,
  Emit,
  OutputsByStream,
  SpoutSpec,
  TopologyBuilder,
  Tuple,
  Values,
} from '../../engine/index.js';

export class Lines extends Spout {
  static readonly outputs = ['line'] as const;
  override nextTuple(emit: Emit<[line: string]>): void {
    emit(['call me Ishmael'], { id: 1 });
  }
}

export class Split extends Bolt {
  static readonly outputs = ['word'] as const;
  execute(tuple: Tuple<[line: string]>, emit: Emit<[word: string]>) {
    for (const word of tuple.values[0].toLowerCase().match(/[a-z']+/g) ?? []) emit([word]);
  }
}

export class Count extends Bolt {
  static readonly outputs = { default: ['word', 'count'], late: ['word', 'at'] } as const;
  static readonly options = { tickEvery: '30s' } as const;
  execute(tuple: Tuple<[word: string]>, emit: Emit<[word: string, count: number], { late: [word: string, at: Date] }>) {
    emit([tuple.values[0], 1]);
    emit([tuple.values[0], new Date(0)], { stream: 'late' });
  }
}

/** States its values in `finish` alone. */
export class Totals extends Bolt {
  static readonly outputs = ['total'] as const;
  private total = 0;
  execute(_tuple: Tuple) {
    this.total += 1;
  }
  override finish(emit: Emit<[total: number]>) {
    emit([this.total]);
  }
}

/** States no values at all: they fit every bolt that takes as many. */
export class Untyped extends Bolt {
  static readonly outputs = ['left', 'right'] as const;
  execute(tuple: Tuple, emit: Emit) {
    emit([tuple.values[0], 1]);
  }
}

export class Either extends Bolt {
  execute(tuple: Tuple<[word: string] | [word: string, count: number]>) {
    tuple.values[0].toUpperCase();
  }
}

export class Configured extends Bolt {
  static readonly outputs = ['word'] as const;
  readonly minLength: number;
  constructor(config: { readonly minLength: number }) {
    super();
    this.minLength = config.minLength;
  }
  async execute(tuple: Tuple<[word: string]>, emit: Emit<[word: string]>): Promise<void> {
    await emit.ready();
    if (tuple.values[0].length >= this.minLength) emit([tuple.values[0]]);
  }
}

export class Loose extends Bolt {
  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    void config;
  }
  override execute = (_tuple: Tuple<[word: string]>) => undefined;
}

export function someLines(path: string): SpoutSpec<Lines, readonly ['line']> {
  return defineSpout({ type: 'some-lines', outputs: ['line'], config: { path }, create: () => new Lines() });
}

export function keyed(): BoltSpec<Untyped, DynamicOutputs> {
  const outputs = (): OutputsByStream => ({ default: ['word', 'count'] });
  return defineBolt({ type: 'keyed', outputs, create: () => new Untyped() });
}

export const wordCount = topology('word-count', (t) => {
  const lines = t.spout('lines', Lines);
  const split = t.bolt('split', Split, { parallelism: 2 }).shuffle(lines);
  const count = t.bolt('count', Count, { parallelism: 2 }).fields(split, 'word');
  t.bolt('late', (tuple: Tuple<[word: string, at: Date]>) => void tuple.values[1].getTime()).global(
    count.stream('late'),
  );
});

export const everyWay = topology(
  'every-way',
  (t) => {
    const lines = t.spout('lines', someLines('moby-dick.txt'), { parallelism: 2, config: { from: 1 } });
    const pairs = t.spout(
      'pairs',
      function* () {
        yield ['a', 1];
        yield ['b', 2];
      },
      { outputs: ['word', 'count'], tracked: false },
    );
    const words = t.spout(
      'words',
      async function* (context) {
        yield [await Promise.resolve(context.component)];
      },
      { outputs: ['word'], pendingMax: 10 },
    );
    t.spout('lists', (): Values[] => [['a'], ['b']], { outputs: ['word'] });
    t.spout('later', async () => Promise.resolve([['a']]), { outputs: { default: ['word'] } });

    const split = t.bolt('split', Split).shuffle(lines).all(words);
    const short = t
      .bolt('short', Configured, { config: { minLength: 3 }, concurrency: 8, ordered: true })
      .shuffle(split);
    t.bolt('loose', Loose).shuffle(short);
    t.bolt('either', Either, { manualAck: true }).fields(split, 'word').fields(pairs, 'word', 'count');

    const upper = t.bolt(
      'upper',
      (tuple: Tuple<[word: string]>, emit: Emit<[upper: string, length: number]>) => {
        emit([tuple.values[0].toUpperCase(), 1]);
      },
      { outputs: ['upper', 'length'] },
    );
    upper.global(split);
    t.bolt('anything', async (tuple) => Promise.resolve(void tuple.get('upper')), { tickEvery: 500 }).all(upper);
    t.bolt('contextual', (tuple, emit) => emit([tuple.values.length]), { outputs: ['n'] }).all(upper.stream('default'));

    const untyped = t.bolt('untyped', Untyped).shuffle(pairs);
    t.bolt('takes-two', (tuple: Tuple<[word: string, count: number]>) => void tuple.values[1].toFixed()).shuffle(
      untyped,
    );
    const totals = t.bolt('totals', Totals).all(untyped);
    t.bolt('printed', (tuple: Tuple<[total: number]>) => void tuple.values[0].toFixed()).shuffle(totals);

    const keys = t.bolt('keys', keyed()).fields(split, 'word');
    t.bolt('any-field', Either).fields(keys, 'word', 'count');
  },
  {
    version: '1.2.0',
    workers: 2,
    messageTimeout: '10s',
    maxSpoutPending: 100,
    tracking: true,
    keyGroups: 64,
    placement: 'spread',
  },
);

export class Router extends Bolt {
  static readonly outputs = { default: ['word'], orders: { direct: ['what', 'count'] } } as const;
  execute(tuple: Tuple<[word: string]>, emit: Emit<[word: string], { orders: [what: string, count: number] }>) {
    emit.direct(3, ['a', 1], { stream: 'orders' });
    emit(tuple.values);
  }
}

export class OneByOne implements CustomGrouping<[word: string]> {
  private next = 0;
  choose([word]: readonly [word: string], targets: readonly number[]): Chosen {
    return word === '' ? null : this.next++ % targets.length;
  }
}

export const everyGrouping = topology('every-grouping', (t) => {
  const split = t.bolt('split', Split).shuffle(t.spout('lines', Lines), { locality: false });
  const pairs = t.spout('pairs', () => [['a', 1] as [string, number]], { outputs: ['word', 'count'] });
  t.bolt('either', Either).partialKey(pairs, 'word', 'count').none(split, { locality: true });
  t.bolt('near', Either).localOrShuffle(pairs).custom(split, OneByOne);
  t.bolt('chosen', Either).custom(split, ([word], targets) => [word.length % targets.length]);
  const router = t.bolt('router', Router).shuffle(split);
  t.bolt('ordered', (tuple: Tuple<[what: string, count: number]>) => void tuple.values[1].toFixed()).direct(
    router.stream('orders'),
  );
  router.fields(router.feedback(), 'word');
  const first = t.bolt('first', Untyped).shuffle(split);
  const second = t.bolt('second', Untyped).shuffle(first);
  first.fields(second.feedback({ overflow: 'drop' }), 'left');
});

/** Any field and stream of what a spec works out: only validation can know better. */
export function unknownNames(t: TopologyBuilder): void {
  const keys = t.bolt('keys', keyed()).shuffle(t.spout('lines', Lines));
  t.bolt('any-field', Either).fields(keys, 'whatever').shuffle(keys.stream('other'));
}

export const withoutTimeout = topology('without-timeout', (t) => void t.spout('lines', Lines), {
  messageTimeout: false,
});
