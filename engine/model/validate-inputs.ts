// The rules of subscriptions: spouts have none and bolts have some, each of an existing stream, by an existing
// grouping, with a key that the stream has. Pure, any thread.

import type { BoltDefinition, ComponentDefinition, Fields, InputDefinition } from './definition.js';
import { componentPath } from './names.js';
import type { ProblemList } from './problems.js';
import { listed } from './suggest.js';
import { checkGrouping } from './validate-grouping.js';

/** What subscriptions are checked against. */
export interface Surroundings {
  readonly components: ReadonlyMap<string, ComponentDefinition>;
  /** Components whose streams are not known. */
  readonly unknownOutputs: ReadonlySet<string>;
  readonly keyGroups: number;
}

export function checkInputs(component: ComponentDefinition, surroundings: Surroundings, problems: ProblemList): void {
  const path = `${componentPath(component.kind, component.id)}.inputs`;
  if (component.kind === 'spout') {
    // The type has no inputs; one that was written in JavaScript or JSON may have some all the same.
    const { inputs } = component as { readonly inputs?: readonly unknown[] };
    if (inputs !== undefined && inputs.length > 0) {
      problems.add('MILLRACE_TOPOLOGY_SPOUT_WITH_INPUTS', path, { component: component.id });
    }
    return;
  }
  if (component.inputs.length === 0) {
    problems.add('MILLRACE_TOPOLOGY_BOLT_WITHOUT_INPUTS', path, { component: component.id });
  }
  const taken = new Set<string>();
  component.inputs.forEach((input, index) => {
    const inputPath = `${path}[${index}]`;
    const stream = JSON.stringify([input.from, input.stream]);
    if (taken.has(stream)) {
      const details = { component: component.id, stream: input.stream, source: input.from };
      problems.add('MILLRACE_TOPOLOGY_DUPLICATE_INPUT', inputPath, details);
    }
    taken.add(stream);
    const fields = checkSource(component, input, inputPath, surroundings, problems);
    const source = surroundings.components.get(input.from);
    const isDirect = fields === null ? null : (source?.directStreams?.includes(input.stream) ?? false);
    checkGrouping(component, input, inputPath, { fields, isDirect }, problems);
  });
  const { parallelism, inputs } = component;
  const { keyGroups } = surroundings;
  const isNumber = typeof parallelism === 'number';
  if (isNumber && parallelism > keyGroups && inputs.some((input) => input.grouping === 'fields')) {
    const parallelismPath = `${componentPath('bolt', component.id)}.parallelism`;
    problems.add('MILLRACE_TOPOLOGY_KEY_GROUPS', parallelismPath, { component: component.id, parallelism, keyGroups });
  }
}

/** The fields of the stream that is taken, or null when they are not known. */
function checkSource(
  bolt: BoltDefinition,
  input: InputDefinition,
  path: string,
  { components, unknownOutputs }: Surroundings,
  problems: ProblemList,
): Fields | null {
  const source = components.get(input.from);
  if (source === undefined) {
    const known = [...components.keys()].filter((id) => id !== bolt.id);
    const details = { component: bolt.id, source: input.from, known: listed(known) };
    problems.add('MILLRACE_TOPOLOGY_UNKNOWN_COMPONENT', `${path}.from`, details, { name: input.from, known });
    return null;
  }
  if (unknownOutputs.has(input.from)) return null;
  if (Object.hasOwn(source.outputs, input.stream)) return source.outputs[input.stream] ?? null;
  const known = Object.keys(source.outputs);
  const details = { component: bolt.id, source: input.from, stream: input.stream, known: listed(known) };
  problems.add('MILLRACE_TOPOLOGY_UNKNOWN_STREAM', `${path}.stream`, details, { name: input.stream, known });
  return null;
}
