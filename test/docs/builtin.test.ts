// The documents of docs/builtin.md: each is a topology of built-in components, and each type is in one of them. Those
// with commands are run by programs.test.ts. The functions that the page names are there, and make these types.

import t from 'tap';
import { furtherTypes } from '../../engine/connect/further-types.js';
import { builtins } from '../../engine/connect/registry.js';
import { topologyFromDocument } from '../../engine/model/document.js';
import { blocksOf, pageOf } from './blocks.js';

const page = pageOf('docs/builtin.md');
const documents = blocksOf(page, 'json').map((code) => JSON.parse(code) as object);

const known = new Map([...builtins, ...(await furtherTypes())]);

interface Named {
  readonly spouts: Readonly<Record<string, { readonly type: string }>>;
  readonly bolts: Readonly<Record<string, { readonly type: string }>>;
}

t.test('every document is a topology', (t) => {
  for (const document of documents) t.doesNotThrow(() => topologyFromDocument(document, known));
  t.end();
});

t.test('every type is in one of them', (t) => {
  const shown = (documents as Named[]).flatMap(({ spouts, bolts }) =>
    [...Object.values(spouts), ...Object.values(bolts)].map(({ type }) => type),
  );
  t.strictSame([...new Set(shown)].toSorted(), [...known.keys()].toSorted());
  t.end();
});

t.test('the functions of the table make these types', async (t) => {
  const rows = [...page.matchAll(/^\| `([\w-]+)` +\| (spout|bolt) +\| `(\w+)` of `millrace\/connect\/(\w+)` +\|$/gm)];
  t.strictSame(rows.map(([, type]) => type!).toSorted(), [...known.keys()].toSorted());
  for (const [, type = '', kind, name = '', folder = ''] of rows) {
    const module = (await import(`millrace/connect/${folder}`)) as Readonly<Record<string, unknown>>;
    const make = module[name] as (config: object) => { readonly type: string };
    t.equal(make({ template: {}, fields: [], servers: 'zk' }).type, type, name);
    t.equal(known.get(type)?.kind, kind, type);
  }
});
