// Which files a document that came from outside names, and whether it may: inside the directory that the host was given
// for that, or none. Checked when it is taken in, so that its author is told; components check again when they open a
// file (engine/connect/file/confine.ts). Main thread.

import { isMillraceError, problem, type Problem } from '../../engine/errors.js';
import type { Settings } from '../../engine/model/settings.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** The problems of all built-in components in it that use files. What else is wrong with it is found elsewhere. */
export async function fileProblems(
  document: unknown,
  settings: Settings,
  directory: string | null,
): Promise<readonly Problem[]> {
  const [{ builtins }, { confinePath }] = await Promise.all([
    import('../../engine/connect/registry.js'),
    import('../../engine/connect/file/confine.js'),
  ]);
  const problems: Problem[] = [];
  for (const { path, id, component } of componentsOf(document)) {
    const keys = builtins.get(String(component['type']))?.paths ?? [];
    for (const key of keys) {
      const given = settings[`${id}.${key}`] ?? recordOf(component['config'])[key];
      for (const file of Array.isArray(given) ? (given as readonly unknown[]) : [given]) {
        if (typeof file !== 'string') continue;
        const place = `${path}.config.${key}`;
        const found =
          directory === null ? problem('MILLRACE_FILE_REFUSED', place, { path: file }) : outside(file, place);
        if (found !== null) problems.push(found);
      }
    }
  }
  return problems;

  function outside(file: string, place: string): Problem | null {
    try {
      confinePath(file, directory!);
      return null;
    } catch (error) {
      if (!isMillraceError(error)) throw error;
      return { code: error.code, path: place, message: error.message, hint: error.hint };
    }
  }
}

function* componentsOf(document: unknown): Generator<{ path: string; id: string; component: JsonObject }> {
  for (const section of ['spouts', 'bolts']) {
    for (const [id, component] of Object.entries(recordOf(recordOf(document)[section]))) {
      yield { path: `${section}.${id}`, id, component: recordOf(component) };
    }
  }
}

function recordOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
