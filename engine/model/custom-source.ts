// Reads what `.custom(source, …)` is given, or what a document names: a function, or a class of groupings. Told apart
// by what they are, as components are. Pure, any thread.

import type { ChooseTasks, CustomGrouping, CustomGroupingSource } from '../component/custom-grouping.js';
import { isClass, isRecord } from './component-source.js';
import type { CustomGroupingDefinition } from './definition.js';
import { shown } from './names.js';
import type { ProblemList } from './problems.js';

/** What stands for a grouping that was refused. */
const refused: CustomGroupingDefinition = { name: '', create: () => ({ choose: () => null }) };

/** The grouping that was given; when it is none, a problem and one that is never used. */
export function readCustom(
  given: unknown,
  component: string,
  source: string,
  path: string,
  problems: ProblemList,
): CustomGroupingDefinition {
  const name = typeof given === 'function' ? given.name : '';
  if (isGroupingClass(given)) return { name, create: () => new given() };
  if (typeof given === 'function' && !isClass(given)) {
    const grouping = { choose: given as ChooseTasks };
    return { name, create: () => grouping };
  }
  const actual = typeof given === 'function' ? `class ${name}` : shown(given);
  problems.add('MILLRACE_TOPOLOGY_CUSTOM', `${path}.custom`, { component, source, actual });
  return refused;
}

/** The groupings among the exports of a module, by name: functions, and classes with `choose`. */
export function exportedGroupings(
  exports: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, CustomGroupingSource> {
  const found = Object.entries(exports).filter(
    ([name, each]) => name !== 'default' && typeof each === 'function' && (isGroupingClass(each) || !isClass(each)),
  );
  return new Map(found as [string, CustomGroupingSource][]);
}

function isGroupingClass(value: unknown): value is new () => CustomGrouping {
  if (typeof value !== 'function') return false;
  const prototype: unknown = value.prototype;
  return isRecord(prototype) && typeof prototype['choose'] === 'function';
}
