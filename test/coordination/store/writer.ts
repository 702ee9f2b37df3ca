// A process of its own that writes to a store until it is killed, and says each number once it is acknowledged:
// `node writer.js DIRECTORY FIRST LOG_BYTES_MAX`. With FIRST -1 it only opens the store and waits.

import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';

const [directory = '', first = '0', logBytesMax = '1000000'] = process.argv.slice(2);
const store = await EmbeddedStore.open({ directory, logBytesMax: Number(logBytesMax) });
const session = await store.connect();
await session.create('/alive', Buffer.from(String(process.pid)), 'ephemeral');
process.stdout.write('open\n');
if (first === '-1') {
  setInterval(() => undefined, 1000);
} else {
  if ((await session.exists('/n')) === null) await session.create('/n', Buffer.alloc(0));
  const write = async (from: number): Promise<void> => {
    for (let number = from; ; number += 4) {
      await session.create(`/n/${number}`, Buffer.from(`value ${number}`.repeat(1 + (number % 50))));
      await session.set('/n', Buffer.from(String(number)), null);
      process.stdout.write(`${number}\n`);
    }
  };
  await Promise.all([0, 1, 2, 3].map((lane) => write(Number(first) + lane)));
}
