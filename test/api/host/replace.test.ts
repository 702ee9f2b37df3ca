// A new version takes the place of a topology that runs, on a host inside of a program: on real threads it goes on
// where the one before let go, and what does not start leaves that one as it was.

import t, { type Test } from 'tap';
import { codeOf, counting, startHost, writeModule, type Started } from './hosts.js';

t.setTimeout(120_000);

/** Counts up from where it was, and says where it begins and each hundredth step. */
function steps(version: string, { open = '', prepare = '', top = '' } = {}): string {
  return `
import { Bolt, Spout, topology } from 'millrace';
${top}
class Steps extends Spout {
  static outputs = ['step'];
  async open(context) {
    ${open}
    this.context = context;
    this.next = Number(context.restored('steps') ?? 0);
    await context.print('${version} begins at ' + this.next);
  }
  nextTuple(emit) { emit([this.next], { id: this.next++ }); }
  ack(id) { this.context.checkpoint('steps', id + 1); }
}
class Tell extends Bolt {
  prepare(context) { ${prepare} this.context = context; this.seen = 0; }
  async execute() { if (++this.seen % 100 === 0) await this.context.print('${version} has seen ' + this.seen); }
}
export default topology('steps', (t) => {
  t.bolt('tell', Tell).shuffle(t.spout('steps', Steps));
}, { version: '${version}', maxSpoutPending: 1 });
`;
}

interface Running extends Started {
  readonly directory: string;
  readonly first: Awaited<ReturnType<Started['host']['submit']>>;
}

async function start(t: Test, slots = 4): Promise<Running> {
  const started = await startHost(t, { slots });
  const directory = t.testdir({});
  const first = await started.host.submit(writeModule(directory, 'one.mjs', steps('one')));
  await started.prints('one has seen 100');
  return { ...started, directory, first };
}

function beginningsOf(printed: readonly string[]): readonly (readonly [version: string, at: number])[] {
  return printed.flatMap((line) => {
    const [, version, at] = /^(\w+) begins at (\d+)$/.exec(line) ?? [];
    return version === undefined ? [] : [[version, Number(at)] as const];
  });
}

t.test('it goes on where the one before let go', async (t) => {
  const { host, directory, first, printed, prints } = await start(t);
  const second = await host.submit(writeModule(directory, 'two.ts', steps('two')), { replace: true });
  t.match(await first.completed, { status: 'killed', reason: `replaced by version ${second.id}` });
  t.match(await second.status(), { id: second.id, version: 'two', state: 'active', replaces: first.id, workers: 1 });
  await prints('two has seen 100');
  t.match(beginningsOf(printed), [
    ['one', 0],
    ['two', Number],
  ]);
  t.ok(beginningsOf(printed)[1]![1] >= 100, 'with its progress');
  t.match(await host.service.list(), [
    { id: second.id, version: 'two', replacement: null, refused: null },
    { id: first.id, version: 'one', state: 'killed', replaces: null },
  ]);
  const third = await host.submit(writeModule(directory, 'three.mjs', steps('three')), { replace: true });
  await prints('three has seen 100');
  const [, two, three] = beginningsOf(printed);
  t.ok(three![1] >= two![1] + 100, 'and so does the one after');
  t.equal((await host.service.health()).slots.used, 1);
  t.match(await third.kill(), { status: 'killed' });
  t.match(await second.completed, { status: 'killed', reason: /^replaced by version/ });
});

t.test('a version that does not start leaves the one before as it was', async (t) => {
  const { host, directory, first, printed, prints } = await start(t);
  const thrown = { replace: true } as const;
  const submit = async (how: Parameters<typeof steps>[1]): Promise<unknown> => {
    const module = writeModule(directory, `${Object.keys(how!)[0]}.mjs`, steps('two', how));
    return await host.submit(module, thrown).catch((error: unknown) => error);
  };
  t.match(await submit({ top: 'throw new RangeError("not today");' }), { code: 'MILLRACE_DEFINITION_THREW' });
  t.match((await host.service.list())[0], { id: first.id, refused: null }, 'it was not even wished');

  const unprepared = await submit({ prepare: 'throw new RangeError("no tools");' });
  t.match(unprepared, { code: 'MILLRACE_REPLACE_FAILED', status: 409, message: /"steps" is not replaced: .*no tools/ });
  t.match((await host.service.list())[0], {
    id: first.id,
    state: 'active',
    refused: { error: { message: /no tools/ } },
  });
  t.equal(beginningsOf(printed).length, 1, 'its spouts never stopped');

  const unopened = await submit({ open: 'throw new RangeError("no port");' });
  t.match(unopened, { code: 'MILLRACE_REPLACE_FAILED', message: /no port/, hint: /the version before goes on/ });
  const { id, state, refused } = await host.service.describe('steps');
  t.match({ id, state, refused }, { id: first.id, state: 'active', refused: { error: { message: /no port/ } } });
  t.match(refused!.error.stack, /open\.mjs:\d+/, 'with the place in its code');
  const seen = Math.max(...printed.flatMap((line) => Number(/^one has seen (\d+)$/.exec(line)?.[1] ?? 0)));
  await prints(`one has seen ${seen + 200}`);
  const [, again] = beginningsOf(printed);
  t.match(again, ['one', Number], 'its spout begins anew');
  t.ok(again![1] >= 100, 'where it was');
  t.match((await first.status()).workerDeaths, 0);

  const second = await host.submit(writeModule(directory, 'good.mjs', steps('two')), { replace: true });
  t.match(await second.status(), { version: 'two', refused: null });
});

t.test('what is refused at once', async (t) => {
  const { host, directory, first, printed } = await start(t, 1);
  const two = writeModule(directory, 'two.mjs', steps('two'));
  await t.rejects(host.submit(two, { replace: true }), {
    code: 'MILLRACE_REPLACE_ROOM',
    message: /not enough free slots for its 1 worker/,
    hint: /slots for both/,
  });
  t.equal(await codeOf(host.submit(counting('nobody'), { replace: true })), 'MILLRACE_REPLACE_UNKNOWN');
  for (const active of [true, false]) {
    t.equal(await codeOf(host.submit(two, { replace: true, active })), 'MILLRACE_REPLACE_ACTIVE');
  }
  t.equal(await codeOf(host.submit(two)), 'MILLRACE_TOPOLOGY_EXISTS');
  t.equal(beginningsOf(printed).length, 1);
  t.match(await first.kill(), { status: 'killed' });
  t.equal(await codeOf(host.submit(two, { replace: true })), 'MILLRACE_REPLACE_UNKNOWN', 'it has ended');
});

t.test('one that rests is replaced at once, and rests', async (t) => {
  const { host, directory, first, printed, prints } = await start(t);
  await first.deactivate();
  const second = await host.submit(writeModule(directory, 'two.mjs', steps('two')), { replace: true });
  t.match(await second.status(), { state: 'inactive', version: 'two' });
  await second.activate();
  await prints('two has seen 100');
  t.ok(beginningsOf(printed).at(-1)![1] >= 100);
});

t.test('records that come meanwhile are for one version or the other, and none is refused', async (t) => {
  const { host, printed } = await startHost(t);
  const records = (prefix: string): object => ({
    name: 'records',
    spouts: { in: { type: 'ingest', config: { fields: ['n'] } } },
    bolts: { out: { type: 'log', config: { prefix }, inputs: [{ from: 'in', grouping: 'shuffle' }] } },
  });
  await host.submit(records('one '));
  const never = new AbortController().signal;
  let given = 0;
  const give = async (): Promise<void> => await host.service.ingest('records', 'in', [given++], never);
  await give();
  for (const prefix of ['two ', 'three ']) {
    let isOver = false;
    const over = (): void => void (isOver = true);
    const replaced = host.submit(records(prefix), { replace: true });
    replaced.then(over, over);
    const waiting: Promise<void>[] = [];
    while (!isOver) {
      waiting.push(give());
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await replaced;
    await Promise.all(waiting);
    await give();
    t.equal(printed.at(-1), `${prefix}{"n":${given - 1}}`);
  }
  const numbers = printed.map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as { readonly n: number }).n);
  t.strictSame(
    numbers.sort((a, b) => a - b),
    Array.from({ length: given }, (_, n) => n),
    'each once',
  );
});

t.test('whoever waits may go away, and the host may', async (t) => {
  const { host, directory, first, prints } = await start(t);
  const prepare = 'await new Promise((resolve) => setTimeout(resolve, 200));';
  const slow = writeModule(directory, 'two.mjs', steps('two', { prepare }).replace('prepare(', 'async prepare('));
  const gone = new AbortController();
  const waiting = host.submit(slow, { replace: true, signal: gone.signal });
  await until(async () => (await host.service.list())[0]!.replacement !== null);
  gone.abort(new Error('enough'));
  await t.rejects(waiting, { message: 'enough' });
  t.match(await first.completed, { status: 'killed', reason: /^replaced by/ }, 'the replacement goes on');
  await prints('two has seen 100');
  const left = host.submit(slow, { replace: true });
  await until(async () => (await host.service.list())[0]!.replacement !== null);
  const closed = host.close();
  await t.rejects(left, { code: 'MILLRACE_HOST_CLOSED' });
  await closed;
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
