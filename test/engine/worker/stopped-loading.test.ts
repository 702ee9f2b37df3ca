// Workers that are stopped while they load their topology: nothing of theirs stays behind in the process, and who never
// has loaded is not waited for.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MessagePort } from 'node:worker_threads';
import t from 'tap';
import { silentLogger } from '../../../engine/log.js';
import { describe } from '../../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../../engine/worker/module.js';
import { ThreadPool, type WorkerHandle, type WorkerPool } from '../../../engine/worker/pool.js';
import { TopologyRun } from '../../../engine/worker/topology-run.js';
import type { WorkerInit } from '../../../engine/worker/messages.js';

const document: TopologySource = {
  kind: 'document',
  settings: {},
  document: {
    name: 'stopped',
    spouts: { numbers: { type: 'generator', config: { template: { n: { sequence: 0 } } } } },
    bolts: { out: { type: 'log', inputs: [{ from: 'numbers', grouping: 'shuffle' }] } },
  },
};

/** Says when its worker has begun to load. */
class ToldPool implements WorkerPool {
  readonly hello: Promise<void>;
  private readonly pool = new ThreadPool({ threads: 1 });
  private onHello: () => void = () => undefined;

  constructor() {
    this.hello = new Promise((resolve) => (this.onHello = resolve));
  }

  start(init: WorkerInit, transfer: readonly MessagePort[]): WorkerHandle {
    const handle = this.pool.start(init, transfer);
    const { onHello } = this;
    return {
      ended: handle.ended,
      kill: () => handle.kill(),
      get threadId() {
        return handle.threadId;
      },
      set threadId(id) {
        handle.threadId = id;
        onHello();
      },
    };
  }

  async destroy(): Promise<void> {
    await this.pool.destroy();
  }
}

async function killWhileItLoads(source: TopologySource, afterMs = 0): Promise<string> {
  const pool = new ToldPool();
  const description = describe(await loadTopology(document));
  const run = new TopologyRun({
    source,
    description,
    workers: 1,
    pool,
    logger: silentLogger,
    print: async () => undefined,
  });
  const started = run.start().catch(() => undefined);
  await pool.hello;
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  await run.kill();
  await started;
  return (await run.completed).status;
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

// No moment is certain to be in the middle of its reading, but of these some are; none of them may leave anything.
t.test('it leaves no file open', { skip: process.platform !== 'linux' }, async (t) => {
  const names = Array.from({ length: 300 }, (_, n) => `part${n}.mjs`);
  const directory = t.testdir({
    ...Object.fromEntries(names.map((name) => [name, 'export {};'])),
    'main.mjs': names.map((name) => `import './${name}';`).join('\n'),
  });
  const source: TopologySource = { kind: 'module', url: pathToFileURL(join(directory, 'main.mjs')).href, settings: {} };
  await killWhileItLoads(source);
  const before = openFiles();
  for (let afterMs = 0; afterMs < 40; afterMs += 4) await killWhileItLoads(source, afterMs);
  t.ok(openFiles() < before + 10, `${openFiles() - before} more files are open`);
});

t.test('one that never has loaded goes all the same', async (t) => {
  const url = 'data:text/javascript,await new Promise(() => setInterval(() => undefined, 1e6))';
  t.equal(await killWhileItLoads({ kind: 'module', url, settings: {} }), 'killed');
});
