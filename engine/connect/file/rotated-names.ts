// What files are called that a sink has put aside: a number or the time stands in front of the extension, so that
// programs still know what kind of file it is. Numbers go up and never shift, so one rename is all that a rotation
// takes, whenever it is interrupted. Pure but for listing a directory; any thread.
//
//   counts.jsonl   number: counts.1.jsonl counts.2.jsonl …   time (UTC): counts.20260131T235959Z.jsonl, with -2, -3, …
//                  for further ones of the same second

import { basename, dirname, join } from 'node:path';
import type { FileSystem } from './file-system.js';

/** How files that are put aside are told apart. */
export const ROTATED_NAMES = ['number', 'time'] as const;
export type RotatedNaming = (typeof ROTATED_NAMES)[number];

interface Rotated {
  readonly path: string;
  /** Sorts the older one first: a number, or a time and its counter. */
  readonly order: readonly [string | number, number];
}

/** A path as what stands in front of its extension, and that: `['out/counts', '.jsonl']`. */
export function splitPath(path: string): readonly [string, string] {
  const name = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
  const dot = path.lastIndexOf('.');
  const at = dot > name ? dot : path.length;
  return [path.slice(0, at), path.slice(at)];
}

/** The files of that sink that were put aside, the oldest first. */
export function rotatedFiles(system: FileSystem, path: string, naming: RotatedNaming): readonly Rotated[] {
  const [stem, extension] = splitPath(basename(path));
  const found: Rotated[] = [];
  for (const name of system.list(dirname(path))) {
    if (!name.startsWith(`${stem}.`) || !name.endsWith(extension)) continue;
    const mark = name.slice(stem.length + 1, name.length - extension.length);
    const order = orderOf(mark, naming);
    if (order !== null) found.push({ path: join(dirname(path), name), order });
  }
  return found.toSorted((a, b) => compare(a.order[0], b.order[0]) || a.order[1] - b.order[1]);
}

/** What the file is called that is put aside next. */
export function nextRotated(path: string, naming: RotatedNaming, rotated: readonly Rotated[], wallMs: number): string {
  const [stem, extension] = splitPath(path);
  if (naming === 'number') return `${stem}.${Number(rotated.at(-1)?.order[0] ?? 0) + 1}${extension}`;
  const time = `${new Date(wallMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  const last = rotated.findLast(({ order }) => order[0] === time);
  return `${stem}.${time}${last === undefined ? '' : `-${last.order[1] + 1}`}${extension}`;
}

function orderOf(mark: string, naming: RotatedNaming): Rotated['order'] | null {
  if (naming === 'number') return /^[1-9]\d{0,14}$/.test(mark) ? [Number(mark), 1] : null;
  const match = /^(\d{8}T\d{6}Z)(?:-([1-9]\d{0,8}))?$/.exec(mark);
  return match?.[1] === undefined ? null : [match[1], Number(match[2] ?? 1)];
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
