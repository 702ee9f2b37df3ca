// The types of JSON topologies that need more than the engine: found by name, the same components as their functions
// make, and loaded only when a document names them.

import t from 'tap';
import { Value } from 'typebox/value';
import { furtherTypes, typesFor } from '../../../engine/connect/further-types.js';
import { builtins } from '../../../engine/connect/registry.js';
import { loadTopology } from '../../../engine/worker/module.js';
import { zookeeperChanges, zookeeperWriter } from '../../../coordination/connect/zookeeper/index.js';

const specs = [
  zookeeperChanges({ servers: 'zk:1', retries: 3 }),
  zookeeperWriter({ servers: 'zk:1', users: ['u:p'], refused: 'dead-letter' }),
];

void t.test('each function has its type, with the same settings and outputs', async (t) => {
  const further = await furtherTypes();
  t.strictSame(
    [...further.keys()],
    specs.map(({ type }) => type),
  );
  for (const spec of specs) {
    const type = further.get(spec.type)!;
    t.ok(Value.Check(type.schema, spec.config), spec.type);
    const schema = type.schema as { properties?: Record<string, { description?: string }> };
    t.strictSame(Object.keys(schema.properties ?? {}), spec.configKeys, spec.type);
    for (const [key, { description = '' }] of Object.entries(schema.properties ?? {}))
      t.ok(description.length > 10, key);
    t.notOk(Value.Check(type.schema, { servers: '' }));
    t.notOk(Value.Check(type.schema, { servers: 'a', other: 1 }));
    t.equal(type.outputs, spec.outputs);
    t.equal(type.create(spec.config, []).constructor, spec.create(spec.config, []).constructor);
  }
});

void t.test('they are looked for when a document names what the engine does not have', async (t) => {
  t.equal(await typesFor({ spouts: { a: { type: 'generator' } } }, builtins), builtins);
  t.ok((await typesFor({ bolts: { a: { type: 'zookeeper-writer' } } }, builtins)).has('count'));
  for (const odd of [null, 1, [], { spouts: null }, { spouts: { a: 1 } }, { bolts: { a: { type: 5 } } }]) {
    t.equal(await typesFor(odd, builtins), builtins);
  }
  const document = (type: string) => ({
    name: 'followed',
    spouts: { changes: { type, config: { servers: 'zk:1', path: '/a' } } },
    bolts: { out: { type: 'log', inputs: [{ from: 'changes', grouping: 'fields', fields: ['path'] }] } },
  });
  const made = await loadTopology({ kind: 'document', document: document('zookeeper-changes'), settings: {} });
  t.match(
    made.components.find(({ id }) => id === 'changes'),
    { config: { path: '/a' } },
  );
  const wrong = loadTopology({ kind: 'document', document: document('zookeeper-chnges'), settings: {} });
  await t.rejects(wrong, { code: 'MILLRACE_TOPOLOGY_INVALID', message: /zookeeper-changes/ });
});
