// What the types of the coordination do not let through.

import { EmbeddedStore, TreeCache, toData, type Session, type TreeEvent } from '../../../coordination/index.js';

const store = await EmbeddedStore.open({ directory: null });
const session: Session = await store.connect({ credentials: [{ user: 'ann', password: 'secret' }] });
const data = toData({ oil: 71 });

// A set without a version would overwrite what somebody else wrote: null says that this is meant.
await session.set('/a', data); // refused: Expected 3-4 arguments, but got 2.
await session.set('/a', data, null);
await session.set('/a', data, undefined); // refused: 'undefined' is not assignable
await session.create('/a', data, 'permanent'); // refused: '"permanent"' is not assignable
await session.create('/a', 'text'); // refused: 'string' is not assignable
await session.create('/a', data, 'persistent', { access: [{ who: 'anyone', may: ['read', 'admin'] }] });
await session.create('/b', data, 'persistent', { access: [{ who: 'anyone', may: ['fly'] }] }); // refused: '"fly"' is not assignable
await session.setAccess('/a', [{ who: 'everybody', may: ['read'] }]); // refused: '"everybody"' is not assignable
await session.multi([{ type: 'check', path: '/a' }]); // refused: 'version' is missing
await session.multi([{ type: 'check', path: '/a', version: null }]);

new TreeCache({
  session,
  path: '/a',
  listener: (event: TreeEvent) => {
    event.node; // refused: 'node' does not exist
    if (event.type === 'set') event.node.stat.version.toFixed();
    event.type === 'gone'; // refused: have no overlap
  },
});
