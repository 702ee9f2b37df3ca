// How nodes of the store are shown to people: rows of a list or a tree, one node with its data, and what the store
// knows about it. Whatever stands in a node reaches a terminal without control characters. Pure.

import type { Content, RawContent } from '../../coordination/inspect/content.js';
import type { Inspected, InspectedBelow } from '../../coordination/inspect/inspect.js';
import type { AccessRule } from '../../coordination/store/contract.js';
import { nameOf } from '../../coordination/store/node-path.js';
import { printable } from '../../engine/model/names.js';
import { formatCount } from './numbers.js';
import { alignRows } from './table.js';

const LINE_LENGTH_MAX = 100;
const NAME_LENGTH_MAX = 200;
/** Control characters but for line ends and tabs, line separators, and marks that turn the direction of text. */
const GARBLING = /[^\P{Cc}\n\t]|[\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/** The columns of `ls`. */
export const LIST_COLUMNS = ['node', 'children', 'bytes', 'version', 'holds'] as const;

/** Nodes one below the other, as `ls` shows them; the last column is free text. */
export function formatList(nodes: readonly Inspected[]): string {
  const rows = nodes.map((node) => [
    printable(nameOf(node.path), NAME_LENGTH_MAX) + (node.stat.ephemeralOwner === null ? '' : ' *'),
    formatCount(node.stat.childCount),
    node.bytes === null ? '-' : formatCount(node.bytes),
    String(node.stat.version),
  ]);
  const lines = alignRows([LIST_COLUMNS.slice(0, -1), ...rows], 1);
  return lines
    .map((line, at) => `${line}  ${at === 0 ? 'holds' : lineOf(nodes[at - 1]!.content)}`.trimEnd())
    .join('\n');
}

/** One row of `tree`. */
export function formatBelow(node: InspectedBelow): string {
  const { depth, path, stat, content } = node;
  const name = depth === 0 ? path : nameOf(path);
  const mark = stat.ephemeralOwner === null ? '' : ' *';
  return `${'  '.repeat(depth)}${printable(name, NAME_LENGTH_MAX)}${mark}  ${lineOf(content)}`.trimEnd();
}

/** What a node holds, in one line. */
export function lineOf(content: Content): string {
  switch (content.kind) {
    case 'empty':
      return '';
    case 'record':
      return printable(`${content.record}: ${content.line}`, LINE_LENGTH_MAX);
    case 'piece':
      return `a piece of a ${content.record}, ${formatCount(content.text.length)} characters`;
    case 'forbidden':
      return 'may not be read';
    case 'damaged':
      return `DAMAGED ${content.record}: ${printable(content.error.message, 2 * LINE_LENGTH_MAX)}`;
    case 'json':
      return printable(JSON.stringify(content.value), LINE_LENGTH_MAX);
    case 'text':
      return printable(content.text, LINE_LENGTH_MAX);
    case 'binary':
      return printable(`0x${content.hex}`, LINE_LENGTH_MAX);
  }
}

/** The data of a node as `get` shows it; a line above says what it is unless it is a record that could be read. */
export function formatData({ bytes, content }: Inspected): string {
  switch (content.kind) {
    case 'record':
      return clean(JSON.stringify(content.value, plain, 2));
    case 'piece':
      return `piece of a ${content.record}, ${sized(bytes)}:\n${clean(content.text)}`;
    case 'damaged':
      return `not a ${content.record}, ${sized(bytes)}:\n${rawText(content.raw)}`;
    case 'empty':
      return 'no data';
    case 'forbidden':
      return 'may not be read';
    default:
      return `${content.kind === 'json' ? 'JSON' : content.kind}, ${sized(bytes)}:\n${rawText(content)}`;
  }
}

/** What the store knows about a node, and who may do what with it, where that may be known. */
export function formatStat({ path, bytes, stat }: Inspected, access: readonly AccessRule[] | null): string {
  const rows = [
    ['path', printable(path, NAME_LENGTH_MAX)],
    ['bytes', bytes === null ? '-' : formatCount(bytes)],
    ['version', String(stat.version)],
    ['created', `by change ${stat.createRevision}`],
    ['modified', `by change ${stat.modifyRevision}`],
    ['children', formatCount(stat.childCount)],
    ['ephemeral', stat.ephemeralOwner === null ? 'no' : `goes with session ${stat.ephemeralOwner}`],
    ...(access ?? []).map(({ who, may }) => [
      'access',
      `${printable(nameOfWho(who), NAME_LENGTH_MAX)} may ${may.join(', ')}`,
    ]),
    ...(access === null ? [['access', 'may not be known']] : []),
  ];
  return alignRows(rows, 2).join('\n');
}

/** The rules as JSON: without digests, from which passwords can be guessed. */
export function jsonAccess(access: readonly AccessRule[] | null): object {
  return { access: access?.map(({ who, may }) => ({ who: nameOfWho(who), may })) ?? null };
}

function nameOfWho(who: AccessRule['who']): string {
  return typeof who === 'string' ? who : `user ${who.user}`;
}

/** A node as JSON; the revisions are text, because they may be larger than numbers are exact. */
export function jsonOf({ path, bytes, stat, content }: Inspected): object {
  const { createRevision, modifyRevision, ...others } = stat;
  const revisions = { createRevision: String(createRevision), modifyRevision: String(modifyRevision) };
  return { path, bytes, stat: { ...others, ...revisions }, content: jsonContent(content) };
}

function jsonContent(content: Content): unknown {
  if (content.kind !== 'damaged' && content.kind !== 'forbidden') {
    return content.kind === 'record' ? { ...content, value: plainValue(content.value) } : content;
  }
  const { code, message, hint } = content.error;
  return { ...content, error: { code, message, hint } };
}

function plainValue(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, plain)) as unknown;
}

/** Progress may hold what JSON does not have. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    : value;
}

function rawText(raw: RawContent): string {
  switch (raw.kind) {
    case 'empty':
      return '';
    case 'json':
      return clean(JSON.stringify(raw.value, null, 2));
    case 'text':
      return clean(raw.text);
    case 'binary':
      return hexLines(raw.hex);
  }
}

/** Sixteen bytes a line. */
function hexLines(hex: string): string {
  const lines = hex.match(/.{1,32}/g) ?? [];
  return lines.map((line) => (line.match(/../g) ?? []).join(' ')).join('\n');
}

function sized(bytes: number | null): string {
  return bytes === null ? 'no bytes' : `${formatCount(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
}

function clean(text: string): string {
  return text.replace(GARBLING, '\u{fffd}');
}
