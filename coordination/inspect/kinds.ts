// Which of our records a node holds, by its path: the schema of paths.ts turned round. Each kind has the check that
// reading it goes through everywhere else, and one line for people. Invariant: the line is made of whatever passed the
// check, and never throws, because a node may have been edited by hand. Pure, any thread.

import { shown } from '../../engine/model/names.js';
import { checkParameters } from '../../engine/model/parameters.js';
import { listed } from '../../engine/model/suggest.js';
import { isPiece } from '../checkpoints.js';
import { isDataVersion } from '../data-format.js';
import {
  ASSIGNMENTS,
  CHECKPOINTS,
  DRAINS,
  EPOCH,
  FINALS,
  HISTORY,
  HOSTS,
  LAYOUT,
  MASTERS,
  PARAMETERS,
  PAYLOADS,
  REFUSED,
  REPORTS,
  TOPOLOGIES,
  VERSION,
} from '../paths.js';
import { isEpoch } from '../recipes/election.js';
import { isRefusal } from '../refusals.js';
import { hasKeys } from '../store/json-node.js';
import { nameOf, parentOf } from '../store/node-path.js';
import {
  isAssignment,
  isDrain,
  isEnded,
  isFinal,
  isHostRecord,
  isPayload,
  isReport,
  isWish,
} from '../topology-records.js';

/** A record of ours. */
export interface RecordKind {
  /** What paths.ts calls it: "wish". */
  readonly name: string;
  readonly isIt: (value: unknown) => boolean;
  /** The value in one line, given one that passed the check. */
  readonly line: (value: unknown) => string;
}

/** What a path says about the node there. */
export type NodeKind =
  /** Always there, without data. */
  | { readonly kind: 'directory' }
  | { readonly kind: 'record'; readonly record: RecordKind }
  /** Its record is in pieces, in its children 0, 1, … */
  | { readonly kind: 'pieces'; readonly record: RecordKind }
  /** One of these pieces: part of a longer text. */
  | { readonly kind: 'piece'; readonly record: RecordKind }
  /** None of ours. */
  | { readonly kind: 'unknown' };

type Loose = Readonly<Record<string, unknown>>;

function kind<T>(name: string, isIt: (value: unknown) => value is T, line: (value: Loose) => string): RecordKind {
  return { name, isIt, line: (value) => line(value as Loose) };
}

const isMember = (value: unknown): value is string => typeof value === 'string';

const isClaim = (value: unknown): value is Loose => hasKeys(value, 'revision') && Number.isInteger(value.revision);

const epoch = kind('epoch', isEpoch, ({ epoch: number, member }) => `epoch ${show(number)} of ${show(member)}`);

const version = kind('version', isDataVersion, ({ format }) => `format ${show(format)}`);

const candidate: RecordKind = { name: 'candidate', isIt: isMember, line: (member) => show(member) };

const host = kind('host', isHostRecord, (value) => `${show(value['host'])} with ${show(value['slots'])} slots`);

const refusal = kind('refusal', isRefusal, ({ host: name, code }) => `${show(name)} was refused: ${show(code)}`);

const drain = kind('drain', isDrain, (value) => `${show(value['host'])} is drained`);

const report = kind('report', isReport, ({ host: name, runs }) => {
  const states = listOf(runs).map((run) => `${show(run['id'])} ${show(run['state'])}`);
  return `${show(name)} runs ${states.length === 0 ? 'nothing' : states.join(', ')}`;
});

const wish = kind('wish', isWish, ({ id, wanted, workers, tasks }) => {
  return `${show(id)} wanted ${show(wanted)}, ${show(workers)} workers, ${show(tasks)} tasks`;
});

const payload = kind('payload', isPayload, ({ source }) => {
  return `a ${hasKeys(source, 'kind') ? show(source.kind) : 'topology'}`;
});

const assignment = kind('assignment', isAssignment, ({ id, epoch: number, revision, places }) => {
  const where = listOf(places).map((place) => `${show(place['host'])}#${show(place['slot'])}`);
  const placed = where.length === 0 ? 'nowhere' : `on ${where.join(', ')}`;
  return `${show(id)} revision ${show(revision)} of epoch ${show(number)} ${placed}`;
});

const claim = kind('claim', isClaim, ({ revision }) => `of revision ${show(revision)}`);

const progress: RecordKind = {
  name: 'progress',
  isIt: isPiece,
  line: (value) => {
    const count = listOf(value).length;
    return `${count} ${count === 1 ? 'partition' : 'partitions'}`;
  },
};

const parameters: RecordKind = {
  name: 'parameters',
  isIt: areParameters,
  line: (value) => listed(Object.keys(value as Loose)),
};

const final = kind('final', isFinal, ({ revision, status }) => `revision ${show(revision)} ${show(status)}`);

const ended = kind('ended', isEnded, ({ name, id, state }) => `${show(name)} (${show(id)}) ${show(state)}`);

const byDirectory: ReadonlyMap<string, NodeKind> = new Map([
  [MASTERS, { kind: 'record', record: candidate }],
  [HOSTS, { kind: 'record', record: host }],
  [REFUSED, { kind: 'record', record: refusal }],
  [DRAINS, { kind: 'record', record: drain }],
  [REPORTS, { kind: 'record', record: report }],
  [TOPOLOGIES, { kind: 'record', record: wish }],
  [PAYLOADS, { kind: 'pieces', record: payload }],
  [ASSIGNMENTS, { kind: 'record', record: assignment }],
  [CHECKPOINTS, { kind: 'record', record: claim }],
  [PARAMETERS, { kind: 'record', record: parameters }],
  [FINALS, { kind: 'record', record: final }],
  [HISTORY, { kind: 'record', record: ended }],
]);

const DIRECTORIES: ReadonlySet<string> = new Set(LAYOUT);

/** What our layout has at that path. */
export function kindOf(path: string): NodeKind {
  if (path === VERSION) return { kind: 'record', record: version };
  if (path === EPOCH) return { kind: 'record', record: epoch };
  if (DIRECTORIES.has(path)) return { kind: 'directory' };
  const directory = parentOf(path);
  const inDirectory = byDirectory.get(directory);
  if (inDirectory !== undefined) return inDirectory;
  const above = parentOf(directory);
  const isNumber = /^\d+$/.test(nameOf(path));
  if (isNumber && above === PAYLOADS) return { kind: 'piece', record: payload };
  if (isNumber && above === CHECKPOINTS) return { kind: 'record', record: progress };
  return { kind: 'unknown' };
}

/** What only the cluster may have is no matter here: it would be refused where it is used. */
function areParameters(value: unknown): boolean {
  try {
    checkParameters(value, 'the cluster');
    return true;
  } catch {
    return false;
  }
}

/** A value that somebody may have edited: texts as they are but for what garbles a terminal. */
function show(value: unknown): string {
  return typeof value === 'string' ? shown(value).slice(1, -1) : shown(value);
}

function listOf(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? value.map((each: unknown) => Object(each) as Loose) : [];
}
