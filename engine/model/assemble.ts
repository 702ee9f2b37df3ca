// The last step of every way to write a topology: drafts become definitions, outputs that follow from inputs are worked
// out, and the whole is validated. Pure, any thread.

import type { Bolt } from '../component/bolt.js';
import type { ComponentConfig } from '../component/spec.js';
import type { Spout } from '../component/spout.js';
import type { Problem } from '../errors.js';
import { isMillraceError, reasonOf } from '../errors.js';
import { isDynamic, readOutputs } from './component-source.js';
import type { ComponentDefinition, OutputsByStream, Topology, TopologyConfig } from './definition.js';
import { TOPOLOGY_BRAND } from './definition.js';
import type { ComponentDraft } from './drafts.js';
import { componentPath } from './names.js';
import { ProblemList } from './problems.js';
import type { ValidationLimits } from './validate.js';
import { problemsOf } from './validate.js';

export interface Assembled {
  /** Only to be used when there are no problems. */
  readonly topology: Topology;
  readonly problems: readonly Problem[];
}

type Outputs = { readonly streams: OutputsByStream; readonly known: boolean };

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
  const unknown = new Set<string>();
  const components = drafts.map((draft) => {
    const outputs = outputsOf(draft, draft.config, found);
    if (!outputs.known) unknown.add(draft.id);
    return definitionOf(draft, outputs.streams);
  });
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

function definitionOf(draft: ComponentDraft, outputs: OutputsByStream): ComponentDefinition {
  const { kind, id, parallelism, config, configKeys, behavior, inputs } = draft;
  const create = (settings: ComponentConfig): Spout | Bolt => draft.create(settings, inputs);
  const outputsFor = isDynamic(draft.outputs)
    ? { outputsFor: (changed: ComponentConfig, list: ProblemList) => outputsOf(draft, changed, list).streams }
    : {};
  const common = { id, parallelism, outputs, config, configKeys, ...outputsFor };
  if (kind === 'bolt') {
    return { kind, ...common, inputs, behavior, create: create as (config: ComponentConfig) => Bolt };
  }
  // A spout has no inputs; where it was given some, validation has to see them.
  const refused = inputs.length > 0 ? { inputs } : {};
  return { kind, ...common, ...refused, create: create as (config: ComponentConfig) => Spout };
}

function outputsOf(draft: ComponentDraft, config: ComponentConfig, problems: ProblemList): Outputs {
  const { id, kind, inputs, outputs, outputsKnown } = draft;
  if (!isDynamic(outputs)) return { streams: outputs, known: outputsKnown };
  const path = componentPath(kind, id);
  try {
    if (outputsKnown)
      return { streams: readOutputs(outputs(inputs, config), id, `${path}.outputs`, problems), known: true };
  } catch (thrown) {
    if (isMillraceError(thrown)) {
      problems.addAll([{ code: thrown.code, path, message: thrown.message, hint: thrown.hint }]);
    } else {
      const what = `working them out threw: ${reasonOf(thrown)}`;
      problems.add('MILLRACE_TOPOLOGY_OUTPUTS', `${path}.outputs`, { component: id, what });
    }
  }
  return { streams: {}, known: false };
}
