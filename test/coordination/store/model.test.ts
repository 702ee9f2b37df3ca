// The embedded store against a model so simple that it is right by reading: random calls of two sessions, the store
// closed and opened again in between, snapshots at odd moments. What both answer must be the same.

import fc from 'fast-check';
import t from 'tap';
import type { CreateMode, Operation, Session } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { isMillraceError } from '../../../engine/errors.js';
import { text, textOf } from './contract.js';

interface ModelNode {
  data: string;
  version: number;
  owner: number | null;
  next: number;
}

/** The model: a map, copied whole for each transaction. */
class Model {
  nodes = new Map<string, ModelNode>([['/', { data: '', version: 0, owner: null, next: 0 }]]);

  multi(operations: readonly Operation[], owner: number): string {
    const before = structuredClone(this.nodes);
    const done: string[] = [];
    // Said of operations before any of them is carried out.
    if (operations.some(({ type, path }) => type === 'delete' && path === '/')) return 'MILLRACE_STORE_PATH';
    for (const operation of operations) {
      const said = this.one(operation, owner);
      if (said.startsWith('MILLRACE')) {
        this.nodes = before;
        return said;
      }
      done.push(said);
    }
    return done.join(' ');
  }

  private one(operation: Operation, owner: number): string {
    if (operation.type === 'create') return this.create(operation.path, textOf(operation.data), operation.mode, owner);
    const { path, version } = operation;
    const node = this.nodes.get(path);
    if (node === undefined) return 'MILLRACE_STORE_NO_NODE';
    if (version !== null && version !== node.version) return 'MILLRACE_STORE_BAD_VERSION';
    if (operation.type === 'check') return 'ok';
    if (operation.type === 'set') {
      this.nodes.set(path, { ...node, data: textOf(operation.data), version: node.version + 1 });
      return `v${node.version + 1}`;
    }
    if (this.children(path).length > 0) return 'MILLRACE_STORE_NOT_EMPTY';
    this.nodes.delete(path);
    return 'ok';
  }

  private create(asked: string, data: string, mode: CreateMode = 'persistent', owner: number): string {
    const parent = this.nodes.get(asked.slice(0, Math.max(1, asked.lastIndexOf('/'))));
    if (parent === undefined) return 'MILLRACE_STORE_NO_NODE';
    const path = mode.endsWith('sequential') ? `${asked}${String(parent.next).padStart(10, '0')}` : asked;
    if (parent.owner !== null) return 'MILLRACE_STORE_EPHEMERAL_PARENT';
    if (this.nodes.has(path)) return 'MILLRACE_STORE_NODE_EXISTS';
    if (mode.endsWith('sequential')) parent.next++;
    this.nodes.set(path, { data, version: 0, owner: mode.startsWith('ephemeral') ? owner : null, next: 0 });
    return path;
  }

  children(path: string): readonly string[] {
    const start = path === '/' ? '/' : `${path}/`;
    return [...this.nodes.keys()]
      .filter((each) => each !== '/' && each.startsWith(start) && !each.slice(start.length).includes('/'))
      .map((each) => each.slice(start.length))
      .sort();
  }

  endOf(owners: readonly number[]): void {
    for (const [path, node] of this.nodes)
      if (node.owner !== null && owners.includes(node.owner)) this.nodes.delete(path);
  }
}

const path = fc.constantFrom('/', '/a', '/b', '/a/x', '/a/y', '/a/x/z', '/s_0000000000', '/a/s_0000000001');
const version = fc.constantFrom(null, 0, 1, 2);
const mode = fc.constantFrom<CreateMode>('persistent', 'ephemeral', 'persistent-sequential', 'ephemeral-sequential');
const data = fc.string({ maxLength: 3 }).map(text);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ type: fc.constant('check' as const), path, version }),
  fc.record({
    type: fc.constant('create' as const),
    path: fc.constantFrom('/a', '/b', '/a/x', '/a/y', '/a/x/z', '/s_', '/a/s_'),
    data,
    mode,
  }),
  fc.record({ type: fc.constant('set' as const), path, data, version }),
  fc.record({ type: fc.constant('delete' as const), path, version }),
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('multi' as const),
      who: fc.nat(1),
      operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

void t.test('the store answers as the model does', async (t) => {
  const base = t.testdir();
  let run = 0;
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 25 }),
    fc.boolean(),
    fc.constantFrom(1, 300, 1e6),
    async (steps, kept, logBytesMax) => {
      const directory = kept ? `${base}/${run++}` : null;
      const open = async (): Promise<EmbeddedStore> => await EmbeddedStore.open({ directory, logBytesMax });
      const model = new Model();
      let store = await open();
      let numbers = [0, 1];
      let next = 2;
      let sessions: Session[] = [await store.connect(), await store.connect()];
      for (const each of steps) {
        if (each.kind === 'multi') {
          const expected = model.multi(each.operations, numbers[each.who]!);
          const answered = await sessions[each.who]!.multi(each.operations).then(
            (results) =>
              results
                .map((result) =>
                  result.type === 'create' ? result.path : result.type === 'set' ? `v${result.stat.version}` : 'ok',
                )
                .join(' '),
            (error: unknown) => (isMillraceError(error) ? error.code : String(error)),
          );
          if (answered !== expected) throw new Error(`answered ${answered}, not ${expected}`);
        } else if (each.kind === 'end') {
          await sessions[each.who]!.close();
          model.endOf([numbers[each.who]!]);
          sessions = sessions.with(each.who, await store.connect());
          numbers = numbers.with(each.who, next++);
        } else if (kept) {
          await store.close();
          store = await open();
          model.endOf(numbers);
          sessions = [await store.connect(), await store.connect()];
          numbers = [next++, next++];
        }
        await same(model, sessions[0]!, sessions, numbers);
      }
      await store.close();
    },
  );
  await fc.assert(property, { numRuns: 150 });
  t.pass('150 runs');
});

async function same(
  model: Model,
  session: Session,
  sessions: readonly Session[],
  numbers: readonly number[],
): Promise<void> {
  let seen = 0;
  for (const [path, node] of model.nodes) {
    const read = await session.get(path);
    const names = await session.children(path);
    const owner = read.stat.ephemeralOwner;
    const number = owner === null ? null : numbers[sessions.findIndex(({ id }) => id === owner)];
    const expected = JSON.stringify([node.data, node.version, node.owner, model.children(path)]);
    const actual = JSON.stringify([textOf(read.data), read.stat.version, number, names]);
    if (actual !== expected || read.stat.childCount !== names.length)
      throw new Error(`${path}: ${actual}, not ${expected}`);
    seen += names.length;
  }
  if (seen !== model.nodes.size - 1) throw new Error('nodes that the model does not have');
}
