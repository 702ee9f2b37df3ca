// Opens the file that a topology is read from: a module is bundled, a JSON document is parsed. What comes out is the
// plain data that workers load the topology from. Nothing of the user's runs here. Main thread.

import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { failure, reasonOf } from '../engine/errors.js';
import { DOCUMENT_BYTES_MAX } from '../engine/limits.js';
import type { Settings } from '../engine/model/settings.js';
import { nearest } from '../engine/model/suggest.js';
import type { TopologySource } from '../engine/worker/module.js';
import { shortPath } from './stack.js';

/** A topology file that can be loaded. */
export interface TopologyFile {
  readonly file: string;
  readonly source: TopologySource;
  /** SHA-256 of what workers load: of the bundle, or of the document. */
  readonly hash: string;
  /** What was odd about it, one line each. */
  readonly warnings: readonly string[];
  /** Removes what opening it left behind; further calls do nothing. */
  dispose(): Promise<void>;
}

/** What a file turns out to be before it is bundled. */
export type FileContent = { readonly kind: 'document'; readonly document: unknown } | { readonly kind: 'module' };

const MODULES = new Set(['.ts', '.mts', '.js', '.mjs', '.tsx', '.jsx', '.cts', '.cjs']);

/**
 * Opens a module (.ts, .mts, .js, .mjs) or a document (.json).
 *
 * @throws MILLRACE_RUN_FILE_MISSING, MILLRACE_RUN_FILE_UNREADABLE, MILLRACE_RUN_FILE_KIND
 * @throws MILLRACE_DOCUMENT_SYNTAX, MILLRACE_DOCUMENT_TOO_LARGE for a document
 * @throws MILLRACE_BUNDLE_SYNTAX, MILLRACE_BUNDLE_IMPORT, MILLRACE_BUNDLE_FAILED for a module
 */
export async function openTopologyFile(file: string, settings: Settings): Promise<TopologyFile> {
  const content = await readTopologyFile(file);
  if (content.kind === 'document') {
    const hash = createHash('sha256').update(JSON.stringify(content.document)).digest('hex');
    return { file, source: { ...content, settings }, hash, warnings: [], dispose: async () => undefined };
  }
  const { bundleTopology } = await import('./bundle.js');
  const bundle = await bundleTopology(file);
  return {
    file,
    source: { kind: 'module', url: bundle.url, settings },
    hash: bundle.hash,
    warnings: bundle.warnings,
    dispose: async () => await bundle.dispose(),
  };
}

/**
 * Looks what is in a file: a document is parsed, a module is left where it is.
 *
 * @throws MILLRACE_RUN_FILE_MISSING, MILLRACE_RUN_FILE_UNREADABLE, MILLRACE_RUN_FILE_KIND
 * @throws MILLRACE_DOCUMENT_SYNTAX, MILLRACE_DOCUMENT_TOO_LARGE for a document
 */
export async function readTopologyFile(file: string): Promise<FileContent> {
  const extension = extname(file).toLowerCase();
  const bytes = await checkFile(file);
  if (extension === '.json') return { kind: 'document', document: await readDocument(file, bytes) };
  if (!MODULES.has(extension)) throw failure('MILLRACE_RUN_FILE_KIND', { file });
  return { kind: 'module' };
}

async function checkFile(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isFile()) return found.size;
    throw failure('MILLRACE_RUN_FILE_UNREADABLE', {
      file,
      reason: found.isDirectory() ? 'it is a directory' : 'it is a pipe or a device',
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw await missing(file);
    if (code?.startsWith('MILLRACE_') === true) throw error;
    throw failure('MILLRACE_RUN_FILE_UNREADABLE', { file, reason: reasonOf(error) }, { cause: error });
  }
}

async function missing(file: string): Promise<Error> {
  const directory = dirname(file);
  const names = await readdir(directory).catch(() => null);
  if (names === null) {
    return failure('MILLRACE_RUN_FILE_MISSING', {
      file,
      advice: `there is no directory "${directory}" either; check the path`,
    });
  }
  const near = nearest(basename(file), names);
  const advice =
    near === null
      ? 'check the path; it is taken from the current directory'
      : `did you mean "${near}", in the same directory?`;
  return failure('MILLRACE_RUN_FILE_MISSING', { file, advice });
}

async function readDocument(file: string, bytes: number): Promise<unknown> {
  const name = shortPath(file);
  if (bytes > DOCUMENT_BYTES_MAX) {
    throw failure('MILLRACE_DOCUMENT_TOO_LARGE', { file: name, bytes, bytesMax: DOCUMENT_BYTES_MAX });
  }
  const { parseDocument } = await import('../engine/model/json-text.js');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw failure('MILLRACE_RUN_FILE_UNREADABLE', { file, reason: reasonOf(error) }, { cause: error });
  });
  return parseDocument(text, name);
}
