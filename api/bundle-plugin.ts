// What esbuild is taught about topology modules, as one plugin:
//
//   millrace, millrace/*        -> this installation's own files, wherever the importing file lies
//   import.meta, __dirname, …   -> keep naming the source file that they stand in, although it is now part of a bundle
//   *.node                      -> stays where it is, required by its absolute path; refused in what is to travel
//
// How the second works: esbuild's `define` replaces the *syntax* `import.meta`, `__dirname` and `__filename` by
// identifiers (strings, comments and a user's own `const __dirname` are untouched), and each module that mentions
// them imports these identifiers, by a line appended behind its last one, so that no position in it moves and no
// directive or hashbang is in the way. A CommonJS file, which an import would turn into a module, is transformed by
// itself before, with its names defined as texts; its inline source map keeps its positions. Runs in the main thread,
// called by esbuild's service.

import { readFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Loader, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { isOwnSpecifier, resolveOwn } from './installation.js';

const ORIGIN = 'millrace-origin';
const ADDON = 'millrace-addon';
const LOADER = 'millrace-addon-loader';
const MENTIONS_ORIGIN = /\bimport\s*\.\s*meta\b|\b__(?:dirname|filename)\b/;
const HAS_MODULE_SYNTAX = /^\s*(?:import\b|export\b)|\bimport\s*\.\s*meta\b/m;

/** esbuild's `define` that goes with {@link topologyPlugin}. */
export const originDefine: Readonly<Record<string, string>> = {
  'import.meta': '__millrace_meta',
  __dirname: '__millrace_dirname',
  __filename: '__millrace_filename',
};

/** What becomes of native add-ons: they are not part of a bundle, so they are there only where it was made. */
export interface PluginOptions {
  readonly addons: 'keep' | 'refuse';
}

/** What esbuild's message about a refused add-on carries. */
export interface RefusedAddon {
  readonly addon: string;
}

/** The plugin, see above. */
export function topologyPlugin({ addons }: PluginOptions): Plugin {
  return {
    name: 'millrace-topology',
    setup(build) {
      resolveOwnModules(build);
      keepOrigins(build);
      if (addons === 'keep') keepAddons(build);
      else refuseAddons(build);
    },
  };
}

function resolveOwnModules(build: PluginBuild): void {
  build.onResolve({ filter: /^millrace(?:\/|$)/ }, ({ path: specifier }) => {
    if (!isOwnSpecifier(specifier)) return undefined;
    const path = resolveOwn(specifier);
    return path === null ? { errors: [{ text: `Could not resolve "${specifier}"` }] } : { path };
  });
}

function keepOrigins(build: PluginBuild): void {
  build.onResolve({ filter: new RegExp(`^${ORIGIN}:`) }, ({ path }) => ({
    path: path.slice(ORIGIN.length + 1),
    namespace: ORIGIN,
    sideEffects: false,
  }));
  build.onLoad({ filter: /.*/, namespace: ORIGIN }, ({ path }) => ({ contents: originModule(path), loader: 'js' }));
  build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: 'file' }, async ({ path }) => await loadSource(build, path));
}

async function loadSource(build: PluginBuild, path: string): Promise<OnLoadResult | undefined> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null || !MENTIONS_ORIGIN.test(text)) return undefined;
  const isCommonJs = /\.c[jt]s$/.test(path) || !HAS_MODULE_SYNTAX.test(text);
  return isCommonJs
    ? await withConstants(build, text, path)
    : { contents: withImport(text, path), loader: loaderOf(path) };
}

function withImport(text: string, path: string): string {
  const names = Object.values(originDefine).join(', ');
  return `${text}\nimport { ${names} } from ${JSON.stringify(`${ORIGIN}:${path}`)};\n`;
}

async function withConstants({ esbuild }: PluginBuild, text: string, path: string): Promise<OnLoadResult> {
  const define = { __dirname: JSON.stringify(dirname(path)), __filename: JSON.stringify(path) };
  const options = {
    define,
    loader: loaderOf(path),
    sourcefile: path,
    sourcemap: 'inline',
    logLevel: 'silent',
  } as const;
  try {
    return { contents: (await esbuild.transform(text, options)).code, loader: 'js' };
  } catch (error) {
    return { errors: (error as BuildFailure).errors };
  }
}

function originModule(path: string): string {
  const url = JSON.stringify(pathToFileURL(path).href);
  return `
    import { createRequire, isBuiltin } from 'node:module';
    import { pathToFileURL } from 'node:url';
    export const __millrace_filename = ${JSON.stringify(path)};
    export const __millrace_dirname = ${JSON.stringify(dirname(path))};
    const resolve = (specifier) => {
      if (/^\\.{0,2}\\//.test(specifier) || /^(?!node:)[a-z]+:/.test(specifier)) return new URL(specifier, ${url}).href;
      if (isBuiltin(specifier)) return specifier.startsWith('node:') ? specifier : 'node:' + specifier;
      return pathToFileURL(createRequire(${url}).resolve(specifier)).href;
    };
    export const __millrace_meta = {
      dirname: __millrace_dirname, filename: __millrace_filename, resolve, url: ${url},
    };`;
}

function loaderOf(path: string): Loader {
  const extension = extname(path).replace(/^\.[cm]/, '.');
  return extension === '.tsx' ? 'tsx' : extension === '.ts' ? 'ts' : extension === '.jsx' ? 'jsx' : 'js';
}

function keepAddons(build: PluginBuild): void {
  build.onResolve({ filter: /\.node$/ }, async (args) => await resolveAddon(build, args));
  build.onLoad({ filter: /.*/, namespace: ADDON }, ({ path }) => ({
    contents: `module.exports = require(${JSON.stringify(path)});`,
    loader: 'js',
  }));
}

/** Packages that look for an add-on when they are called; the add-on itself is in no import. */
const ADDON_LOADERS = /^(?:bindings|node-gyp-build|node-gyp-build-optional-packages|@mapbox\/node-pre-gyp)$/;

function refuseAddons(build: PluginBuild): void {
  build.onResolve({ filter: /\.node$/ }, ({ path }) => {
    const detail: RefusedAddon = { addon: path };
    return { errors: [{ text: `"${path}" is a native add-on`, detail }] };
  });
  // Who can do without says so by catching this; who cannot says why.
  build.onResolve({ filter: ADDON_LOADERS }, ({ path }) => ({ path, namespace: LOADER }));
  build.onLoad({ filter: /.*/, namespace: LOADER }, ({ path }) => ({
    contents: `module.exports = (name) => {
      const shown = JSON.stringify(String(name?.bindings ?? name));
      const error = new Error('native add-ons cannot travel in a bundle: ' + shown + ', looked for by ${path}');
      throw Object.assign(error, { code: 'MODULE_NOT_FOUND' });
    };`,
    loader: 'js',
  }));
}

async function resolveAddon(build: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult | undefined> {
  if (args.namespace === ADDON) return { path: args.path, external: true };
  if (args.pluginData === ADDON) return undefined;
  const { importer, resolveDir, kind } = args;
  const found = await build.resolve(args.path, { importer, resolveDir, kind, pluginData: ADDON });
  return found.errors.length > 0 || found.external ? undefined : { path: found.path, namespace: ADDON };
}
