// `millrace zk ls|get|tree|stat PATH`: looks at the nodes of the store, with our records decoded. It only reads. A
// record that somebody edited into nonsense is shown as its error and what stands there instead, and the command goes
// on; `get` of one ends with 1. Main thread; everything from outside comes in by `ZkEnvironment`.

import type { Inspected } from '../../coordination/inspect/inspect.js';
import { inspect, inspectAccess, inspectChildren, inspectTree } from '../../coordination/inspect/inspect.js';
import type { Session } from '../../coordination/store/contract.js';
import { checkPath } from '../../coordination/store/node-path.js';
import { toWire } from '../../engine/errors.js';
import { formatError } from './error-text.js';
import { EXIT_FAILED, EXIT_OK } from './exit.js';
import { runPlain, type Plain, type PlainEnvironment } from './plain.js';
import { formatBelow, formatData, formatList, formatStat, jsonAccess, jsonOf } from './zk-format.js';

/** Where the nodes are: servers, or the data directory of a host that does not run. */
export type ZkPlace =
  | { readonly kind: 'zookeeper'; readonly servers: string; readonly users: readonly string[] }
  | { readonly kind: 'data'; readonly directory: string };

export interface ZkOptions {
  readonly place: ZkPlace;
  readonly json: boolean;
}

/** A session, and what ends it. */
export interface OpenedPlace {
  readonly session: Session;
  close(): Promise<void>;
}

export interface ZkEnvironment extends PlainEnvironment {
  /** Opens it to be read. */
  open(place: ZkPlace, signal: AbortSignal): Promise<OpenedPlace>;
  /** Unpacks the progress of a partition. */
  unpack(packed: Uint8Array): unknown;
}

export type ZkVerb = 'ls' | 'get' | 'tree' | 'stat';

/** Nodes of a list that are shown as one table; longer ones come in several. */
const ROWS_AT_ONCE = 1000;

/** Runs the command to its end and gives its exit code. */
export async function zkCommand(
  verb: ZkVerb,
  path: string,
  { place, json }: ZkOptions,
  environment: ZkEnvironment,
): Promise<number> {
  return await runPlain(json, environment, async (plain) => {
    checkPath(path);
    const opened = await environment.open(place, plain.signal);
    try {
      // What somebody else has just written is to be seen.
      await opened.session.sync(path, { signal: plain.signal });
      return await verbs[verb](opened.session, path, plain, (packed) => environment.unpack(packed));
    } finally {
      await opened.close();
    }
  });
}

type Unpack = ZkEnvironment['unpack'];
type Show = (session: Session, path: string, plain: Plain, unpack: Unpack) => Promise<number>;

const verbs: Readonly<Record<ZkVerb, Show>> = {
  async ls(session, path, { output, json, signal }, unpack) {
    let rows: Inspected[] = [];
    let shown = 0;
    const flush = async (): Promise<void> => {
      if (rows.length > 0) await output.print(formatList(rows));
      shown += rows.length;
      rows = [];
    };
    for await (const node of inspectChildren(session, path, { unpack })) {
      signal.throwIfAborted();
      if (json) await output.data(jsonOf(node));
      else if (rows.push(node) >= ROWS_AT_ONCE) await flush();
    }
    await flush();
    if (!json && shown === 0) output.say(`node "${path}" has no children`);
    return EXIT_OK;
  },

  async get(session, path, { output, json }, unpack) {
    const node = await inspect(session, path, { unpack });
    if (json) await output.data(jsonOf(node));
    else await output.print(formatData(node));
    if (node.content.kind !== 'damaged' && node.content.kind !== 'forbidden') return EXIT_OK;
    output.say(formatError(toWire(node.content.error)));
    return EXIT_FAILED;
  },

  async tree(session, path, { output, json, signal }, unpack) {
    for await (const node of inspectTree(session, path, { unpack })) {
      signal.throwIfAborted();
      if (json) await output.data(jsonOf(node));
      else await output.print(formatBelow(node));
    }
    return EXIT_OK;
  },

  async stat(session, path, { output, json }, unpack) {
    const node = await inspect(session, path, { unpack });
    const access = await inspectAccess(session, path);
    if (json) await output.data({ ...jsonOf(node), ...jsonAccess(access) });
    else await output.print(formatStat(node, access));
    return EXIT_OK;
  },
};
