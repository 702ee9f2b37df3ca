// A client in a process of its own, to be stopped and killed. It opens a session, makes an ephemeral node, and tells
// what happens to it in JSON lines; it ends with its standard input, so that it never outlives who started it.
//   node client-process.js SERVERS TIMEOUT PATH

import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';

const [servers = '', timeoutMs = '', path = ''] = process.argv.slice(2);
const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

process.stdin.on('end', () => process.exit(0)).resume();
const session = await new ZookeeperStore({ servers, sessionTimeoutMs: Number(timeoutMs) }).connect();
session.onEvent(({ type }) => {
  tell({ event: type });
  if (type !== 'lost') return;
  session.set(path, new Uint8Array(1), null).then(
    () => tell({ write: 'accepted' }),
    (error: unknown) => tell({ write: (error as { readonly code?: string }).code ?? String(error) }),
  );
});
await session.create(path, new Uint8Array(0), 'ephemeral');
tell({ id: session.id, password: session.password, timeoutMs: session.timeoutMs });
