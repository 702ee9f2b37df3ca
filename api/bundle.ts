// Bundles a topology module, TypeScript or JavaScript, with everything that it imports into one ESM file with its
// source map, in a temporary directory of its own. Every worker imports that file. The directory is gone after
// `dispose()`, after a failed build, and when the process exits. Main thread; esbuild is loaded on first use and its
// service is stopped again when the last build has ended, so that a run does not carry it along.

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
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
    hash: createHash('sha256').update(bundle.contents).digest('hex'),
    warnings: warnings
      .filter(({ location }) => location !== null && !location.file.includes('node_modules'))
      .map((message) => bundleWarning(entry, message)),
    dispose: async () => await directory.dispose(),
  };
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
    plugins: [topologyPlugin()],
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
