// Bundles a topology module, TypeScript or JavaScript, with everything that it imports into one ESM file with its
// source map: in a temporary directory of its own, for the workers of this process, or in memory, as an artifact for
// another one. The directory is gone after `dispose()`, after a failed build, and when the process exits. Main thread;
// esbuild is loaded on first use and its service is stopped again when the last build has ended, so that a run does not
// carry it along.

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions, OutputFile } from 'esbuild';
import { failure, reasonOf } from '../engine/errors.js';
import { bundleFailure, bundleWarning } from './bundle-errors.js';
import { originDefine, topologyPlugin } from './bundle-plugin.js';
import { makeTemporaryDirectory, type TemporaryDirectory } from './temporary.js';

/** A bundled topology module. */
export interface Bundle {
  /** What workers import: the URL of {@link path}. */
  readonly url: string;
  readonly path: string;
  readonly sourceMapPath: string;
  /** SHA-256 of the bundle, in hexadecimal digits: its name as an artifact. */
  readonly hash: string;
  /** What esbuild found odd in the user's own files, one line each. */
  readonly warnings: readonly string[];
  /** Removes the bundle and its directory; further calls do nothing. */
  dispose(): Promise<void>;
}

let buildsUnderWay = 0;

/**
 * Bundles the module in that file.
 *
 * @throws MILLRACE_BUNDLE_SYNTAX with place and line when a file does not compile
 * @throws MILLRACE_BUNDLE_IMPORT when an import cannot be found
 * @throws MILLRACE_BUNDLE_FAILED when esbuild or the temporary directory fails
 */
export async function bundleTopology(file: string): Promise<Bundle> {
  const entry = resolve(file);
  const directory = await makeTemporaryDirectory().catch((error: unknown) => {
    throw failure('MILLRACE_BUNDLE_FAILED', { file, reason: reasonOf(error) }, { cause: error });
  });
  try {
    return await buildInto(directory, entry);
  } catch (error) {
    await directory.dispose();
    throw bundleFailure(file, error);
  }
}

/** A bundle that can travel: one file, its source map inside. */
export interface Artifact {
  /** Its name. */
  readonly sha256: string;
  readonly content: Uint8Array;
  readonly warnings: readonly string[];
}

/**
 * Bundles the module in that file to be run by another process, perhaps on another machine: its source map is part of
 * it and names the sources where they lie here, and the same sources give the same bytes.
 *
 * @throws MILLRACE_BUNDLE_ADDON when it needs a native add-on
 * @throws MILLRACE_BUNDLE_SYNTAX, MILLRACE_BUNDLE_IMPORT, MILLRACE_BUNDLE_FAILED
 */
export async function bundleArtifact(file: string): Promise<Artifact> {
  const entry = resolve(file);
  const path = `${entry}.mjs`;
  try {
    const { outputFiles, warnings } = await build({
      ...optionsFor(entry, path),
      plugins: [topologyPlugin({ addons: 'refuse' })],
      sourcemap: 'inline',
      sourcesContent: false,
      sourceRoot: pathToFileURL(`${dirname(entry)}/`).href,
    });
    const [bundle] = outputFiles;
    if (bundle === undefined) throw new Error('the bundler gave nothing');
    return { sha256: hashOf(bundle.contents), content: bundle.contents, warnings: ownWarnings(entry, warnings) };
  } catch (error) {
    throw bundleFailure(file, error);
  }
}

async function buildInto(directory: TemporaryDirectory, entry: string): Promise<Bundle> {
  const path = join(directory.path, `${basename(entry, extname(entry))}.mjs`);
  const sourceMapPath = `${path}.map`;
  const { outputFiles, warnings } = await build(optionsFor(entry, path));
  const bundle = outputFiles.find((output) => output.path === path);
  if (bundle === undefined) throw new Error(`the bundler gave no "${path}"`);
  await Promise.all(outputFiles.map(async (output) => await writeFile(output.path, output.contents)));
  return {
    url: pathToFileURL(path).href,
    path,
    sourceMapPath,
    hash: hashOf(bundle.contents),
    warnings: ownWarnings(entry, warnings),
    dispose: async () => await directory.dispose(),
  };
}

function hashOf(contents: Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex');
}

function ownWarnings(entry: string, warnings: Built['warnings']): string[] {
  return warnings
    .filter(({ location }) => location !== null && !location.file.includes('node_modules'))
    .map((message) => bundleWarning(entry, message));
}

function optionsFor(entry: string, outfile: string): BuildOptions {
  return {
    absWorkingDir: process.cwd(),
    entryPoints: [entry],
    outfile,
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'linked',
    charset: 'utf8',
    logLevel: 'silent',
    define: { ...originDefine },
    banner: { js: requireBanner(entry) },
    plugins: [topologyPlugin({ addons: 'keep' })],
  };
}

/** CommonJS dependencies `require` built-in modules, and names that they compute: as from the place of the entry. */
function requireBanner(entry: string): string {
  const url = JSON.stringify(pathToFileURL(entry).href);
  const make = '__millrace_createRequire';
  return `import { createRequire as ${make} } from 'node:module'; const require = ${make}(${url});`;
}

interface Built {
  readonly outputFiles: readonly OutputFile[];
  readonly warnings: readonly Parameters<typeof bundleWarning>[1][];
}

async function build(options: BuildOptions): Promise<Built> {
  const esbuild = await import('esbuild');
  buildsUnderWay++;
  try {
    const { outputFiles, warnings } = await esbuild.build(options);
    return { outputFiles: outputFiles ?? [], warnings };
  } finally {
    buildsUnderWay--;
    if (buildsUnderWay === 0) await esbuild.stop();
  }
}
