// What the frames of the log and of a snapshot hold: groups of transactions, and nodes. A frame that has a good
// checksum and another shape was written by something else; the caller names the file. Pure, the host's main thread.
//
//   log       { r: revision of the first transaction, t: [ [effect, …], … ] }        one frame a group
//             effect: ["c", path, bytes, owner | null, 0 | 1 sequential, rules?] | ["s", path, bytes] | ["d", path]
//                     | ["a", path, rules] | ["b"]
//   snapshot  { n: [ [path, bytes, version, created, modified, owner | null, next sequence, rules?], … ] }
//             parents first
//   rules     [ [permissions: read 1 + write 2 + create 4 + delete 8 + admin 16], [permissions, user, digest], … ];
//             left out where everybody may do everything, and absent in all of format 1
//             … and at its end { revision, boots, count }

import { OPEN_ACCESS, PERMISSIONS, type GrantedRule } from '../access.js';
import type { Applied } from './transaction.js';
import { encodeFrame, type FrameContent } from './frames.js';
import { Tree, walk, type Effect } from './tree.js';

type RuleRecord = readonly [number] | readonly [number, string, string];

type EffectRecord =
  | readonly ['c', string, number, string | null, 0 | 1, (readonly RuleRecord[])?]
  | readonly ['a', string, readonly RuleRecord[]]
  | readonly ['s', string, number]
  | readonly ['d', string]
  | readonly ['b'];

interface GroupRecord {
  readonly r: number;
  readonly t: readonly (readonly EffectRecord[])[];
}

type NodeRecord = readonly [string, number, number, number, number, string | null, number, (readonly RuleRecord[])?];

interface EndRecord {
  readonly revision: number;
  readonly boots: number;
  readonly count: number;
}

/** Nodes of a snapshot in one frame: about this many bytes of data, so that no frame becomes huge. */
const SNAPSHOT_FRAME_BYTES = 1024 * 1024;

/** One frame of the log; the transactions have revisions one after the other. */
export function encodeGroup(group: readonly Applied[]): Buffer {
  const pieces: Uint8Array[] = [];
  const record = (effect: Effect): EffectRecord => {
    switch (effect.type) {
      case 'create':
        pieces.push(effect.data);
        return [
          'c',
          effect.path,
          effect.data.byteLength,
          effect.owner,
          effect.sequential ? 1 : 0,
          ...kept(effect.access),
        ];
      case 'access':
        return ['a', effect.path, rulesRecord(effect.access)];
      case 'set':
        pieces.push(effect.data);
        return ['s', effect.path, effect.data.byteLength];
      case 'delete':
        return ['d', effect.path];
      case 'boot':
        return ['b'];
    }
  };
  const json: GroupRecord = { r: group[0]?.revision ?? 0, t: group.map(({ effects }) => effects.map(record)) };
  return encodeFrame(json, pieces);
}

/** Carries out the group on the tree; gives back the revision of its last transaction. */
export function replayGroup(frame: FrameContent, tree: Tree): number {
  const { r, t } = frame.json as GroupRecord;
  let used = 0;
  const take = (bytes: number): Uint8Array => Uint8Array.from(frame.blob.subarray(used, (used += bytes)));
  t.forEach((transaction, index) => {
    for (const record of transaction) tree.apply(effectOf(record, take), r + index);
  });
  return r + t.length - 1;
}

function effectOf(record: EffectRecord, take: (bytes: number) => Uint8Array): Effect {
  switch (record[0]) {
    case 'c':
      return {
        type: 'create',
        path: record[1],
        data: take(record[2]),
        owner: record[3],
        sequential: record[4] === 1,
        access: rulesOf(record[5]),
      };
    case 'a':
      return { type: 'access', path: record[1], access: rulesOf(record[2]) };
    case 's':
      return { type: 'set', path: record[1], data: take(record[2]) };
    case 'd':
      return { type: 'delete', path: record[1] };
    case 'b':
      return { type: 'boot' };
  }
}

/** The frames of a snapshot, one after the other. */
export function* encodeSnapshot(tree: Tree, revision: number): Generator<Buffer> {
  let nodes: NodeRecord[] = [];
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const [path, node] of walk(tree)) {
    const { data, version, createRevision, modifyRevision, owner, nextSequence } = node;
    const rules = kept(node.access);
    nodes.push([path, data.byteLength, version, createRevision, modifyRevision, owner, nextSequence, ...rules]);
    pieces.push(data);
    bytes += data.byteLength + path.length + 64;
    if (bytes < SNAPSHOT_FRAME_BYTES) continue;
    yield encodeFrame({ n: nodes }, pieces);
    [nodes, pieces, bytes] = [[], [], 0];
  }
  yield encodeFrame({ n: nodes }, pieces);
  const end: EndRecord = { revision, boots: tree.boots, count: tree.nodes.size };
  yield encodeFrame(end, []);
}

/** The tree of a snapshot and its revision, or null when its end is missing. */
export function decodeSnapshot(frames: readonly FrameContent[]): { tree: Tree; revision: number } | null {
  const tree = new Tree();
  const end = frames.at(-1)?.json as Partial<EndRecord> | undefined;
  if (end?.revision === undefined) return null;
  for (const frame of frames.slice(0, -1)) {
    let used = 0;
    for (const record of (frame.json as { readonly n: readonly NodeRecord[] }).n) {
      const [path, bytes, version, createRevision, modifyRevision, owner, nextSequence, rules] = record;
      const data = Uint8Array.from(frame.blob.subarray(used, (used += bytes)));
      const access = rulesOf(rules);
      tree.restore(path, { data, version, createRevision, modifyRevision, owner, nextSequence, access });
    }
  }
  tree.boots = end.boots ?? 0;
  return tree.nodes.size === end.count ? { tree, revision: end.revision } : null;
}

/** The last place of a record, which is not there for the rules that most nodes have. */
function kept(access: readonly GrantedRule[]): readonly [] | readonly [readonly RuleRecord[]] {
  return access === OPEN_ACCESS ? [] : [rulesRecord(access)];
}

function rulesRecord(access: readonly GrantedRule[]): readonly RuleRecord[] {
  return access.map(({ who, may }) => {
    const bits = may.reduce((sum, permission) => sum | (1 << PERMISSIONS.indexOf(permission)), 0);
    return who === 'anyone' ? [bits] : [bits, who.user, who.digest];
  });
}

function rulesOf(records: readonly RuleRecord[] | undefined): readonly GrantedRule[] {
  if (records === undefined) return OPEN_ACCESS;
  return records.map(([bits, user, digest]) => ({
    who: user === undefined || digest === undefined ? 'anyone' : { user, digest },
    may: PERMISSIONS.filter((_, index) => (bits & (1 << index)) !== 0),
  }));
}
