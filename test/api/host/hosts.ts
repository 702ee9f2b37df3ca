// Hosts inside of a test: what they and their components say is kept, and they are closed with it.

import { writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { ClusterHost } from '../../../coordination/host/cluster-host.js';
import { wishPath } from '../../../coordination/paths.js';
import { fromNode } from '../../../coordination/store/json-node.js';
import type { SessionKeeper } from '../../../coordination/store/session-keeper.js';
import { isWish, type Wish } from '../../../coordination/topology-records.js';
import type { Logger } from '../../../engine/log.js';
import { Host, type HostOptions } from '../../../api/host/index.js';

export interface Started {
  readonly host: Host;
  readonly logged: readonly string[];
  /** Lines that components printed. */
  readonly printed: readonly string[];
  /** Resolves when that line was printed, so many times. */
  prints(line: string, times?: number): Promise<void>;
}

export async function startHost(t: Test, options: HostOptions = {}): Promise<Started> {
  const logged: string[] = [];
  const printed: string[] = [];
  const waiting = new Set<() => void>();
  const say = (message: string): void => void logged.push(message);
  const logger: Logger = { debug: () => undefined, info: say, warn: say, error: say };
  const print = (line: string): void => {
    printed.push(line);
    for (const look of waiting) look();
  };
  const host = await Host.start({ slots: 4, logger, print, ...options });
  t.teardown(() => host.close());
  const prints = (line: string, times = 1): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (printed.filter((each) => each === line).length < times) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { host, logged, printed, prints };
}

/** The URL of a module in `topologies`, compiled. */
export function moduleUrl(name: string): string {
  return new URL(`./topologies/${name}.js`, import.meta.url).href;
}

/** A document of a spout that counts to a number, and a bolt that prints it. */
export function counting(name: string, count?: number): object {
  return {
    name,
    spouts: {
      numbers: {
        type: 'generator',
        config: { template: { n: { sequence: 1 } }, ...(count === undefined ? { rate: 100 } : { count }) },
      },
    },
    bolts: { out: { type: 'log', inputs: [{ from: 'numbers', grouping: 'shuffle' }] } },
  };
}

/** The code that it rejects with; `none` when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'none',
    (error: unknown) => String((error as { readonly code?: string }).code),
  );
}

/** A module beside the tests, so that it finds what it imports. */
export function writeModule(directory: string, name: string, text: string): string {
  const file = `${directory}/${name}`;
  writeFileSync(file, text);
  return file;
}

/** Resolves when the wish of that topology is so, or gone: told by the store of the host at each change of it. */
export async function untilWish(host: Host, name: string, isSo: (wish: Wish) => boolean): Promise<void> {
  const { cluster } = (host as unknown as { readonly parts: { readonly cluster: ClusterHost } }).parts;
  const { keeper } = cluster as unknown as { readonly keeper: SessionKeeper };
  const session = await keeper.current();
  let close = (): void => undefined;
  await new Promise<void>((resolve) => {
    const watch = session.watchNode(wishPath(name), (node) => {
      if (node === null || isSo(fromNode(node, isWish))) resolve();
    });
    close = () => watch.close();
  });
  close();
}
