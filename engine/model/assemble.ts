// The last step of every way to write a topology: drafts become definitions, outputs that follow from inputs are worked
// out, and the whole is validated. Pure, any thread.

import type { Bolt } from '../component/bolt.js';
import type { ComponentConfig, DynamicOutputs } from '../component/spec.js';
import type { Spout } from '../component/spout.js';
import type { Problem } from '../errors.js';
import { isMillraceError, reasonOf } from '../errors.js';
import { isDynamic, readOutputs } from './component-source.js';
import type { ComponentDefinition, Topology, TopologyConfig } from './definition.js';
import { TOPOLOGY_BRAND } from './definition.js';
import type { ComponentDraft } from './drafts.js';
import { componentPath } from './names.js';
import { withOutputs } from './outputs.js';
import { ProblemList } from './problems.js';
import type { ValidationLimits } from './validate.js';
import { problemsOf } from './validate.js';

export interface Assembled {
  /** Only to be used when there are no problems. */
  readonly topology: Topology;
  readonly problems: readonly Problem[];
}

/**
 * Makes the topology of its components.
 *
 * @param found - the problems that reading found, which come first
 * @param replaced - the paths at which reading replaced a wrong value: validation's word on them is dropped
 */
export function assemble(
  base: { readonly name: string; readonly version: string | null; readonly config: TopologyConfig },
  drafts: readonly ComponentDraft[],
  found: ProblemList,
  replaced: ReadonlySet<string>,
  limits: ValidationLimits = {},
): Assembled {
  const unread = new Set(drafts.filter((draft) => !draft.outputsKnown).map((draft) => draft.id));
  const { components, unknown } = withOutputs(drafts.map(definitionOf), unread, found);
  const topology: Topology = { [TOPOLOGY_BRAND]: 1, ...base, components };
  const validated = problemsOf(topology, limits, unknown).filter((each) => !replaced.has(each.path));
  return { topology, problems: merged(found.all(), validated) };
}

/** The schema of documents knows less of a value than the other rules do: where both speak, those are heard. */
function merged(found: readonly Problem[], validated: readonly Problem[]): readonly Problem[] {
  const ofSchema = (each: Problem): boolean => each.code.startsWith('MILLRACE_DOCUMENT_');
  const paths = new Set([...found.filter((each) => !ofSchema(each)), ...validated].map((each) => each.path));
  const problems = new ProblemList();
  problems.addAll(found.filter((each) => !ofSchema(each) || !paths.has(each.path)));
  problems.addAll(validated);
  return problems.all();
}

function definitionOf(draft: ComponentDraft): ComponentDefinition {
  const { kind, id, parallelism, config, configKeys, behavior, inputs, outputs, directStreams, where, untracked } =
    draft;
  const create = (settings: ComponentConfig): Spout | Bolt => draft.create(settings, inputs);
  const given = isDynamic(outputs) ? { outputs: {}, outputsFor: dynamicOutputs(draft, outputs) } : { outputs };
  const direct = directStreams.length > 0 ? { directStreams } : {};
  const common = { id, parallelism, config, configKeys, ...direct, ...where, ...given };
  if (kind === 'bolt') {
    return { kind, ...common, inputs, behavior, create: create as (config: ComponentConfig) => Bolt };
  }
  // A spout has no inputs; where it was given some, validation has to see them.
  const refused = inputs.length > 0 ? { inputs } : {};
  return {
    kind,
    ...common,
    ...refused,
    ...(untracked && { untracked }),
    create: create as (config: ComponentConfig) => Spout,
  };
}

function dynamicOutputs(
  draft: ComponentDraft,
  outputs: DynamicOutputs,
): Exclude<ComponentDefinition['outputsFor'], undefined> {
  const { id, kind, inputs } = draft;
  const path = componentPath(kind, id);
  return (config, inputFields, problems) => {
    try {
      // What comes back by a cycle follows from what comes in: it is left out until that is known.
      const told = outputs(
        inputs.filter((_, index) => inputFields[index] !== undefined),
        config,
        { component: id, inputFields: inputFields.filter((fields) => fields !== undefined) },
      );
      return told === null ? null : readOutputs(told, id, `${path}.outputs`, problems);
    } catch (thrown) {
      if (!isMillraceError(thrown)) {
        const what = `working them out threw: ${reasonOf(thrown)}`;
        problems.add('MILLRACE_TOPOLOGY_OUTPUTS', `${path}.outputs`, { component: id, what });
      } else if (thrown.problems.length > 0) {
        problems.addAll(thrown.problems.map((each) => ({ ...each, path: `${path}.${each.path}` })));
      } else {
        problems.addAll([{ code: thrown.code, path, message: thrown.message, hint: thrown.hint }]);
      }
      return null;
    }
  };
}
