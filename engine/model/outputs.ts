// What components emit, where that follows from what they take: a filter has the fields of its input, whose source may
// be another filter. Each is worked out after its sources, whatever the order in which they were defined; what comes
// back by a feedback edge is left out first, and must agree with the result. Invariant: what is not known (a source
// that does not exist, a cycle, settings that are wrong) is reported once, where it is wrong, and everything behind it
// is unknown without a word. Pure, any thread.

import type { ComponentDefinition, Fields, OutputsByStream } from './definition.js';
import { componentPath } from './names.js';
import type { ProblemList } from './problems.js';

export interface ResolvedOutputs {
  readonly components: readonly ComponentDefinition[];
  /** Components whose streams are not known. */
  readonly unknown: ReadonlySet<string>;
}

/**
 * These components with the outputs that follow from their settings and their inputs.
 *
 * @param unknown - components that are known to have no readable outputs
 */
export function withOutputs(
  components: readonly ComponentDefinition[],
  unknown: ReadonlySet<string>,
  problems: ProblemList,
): ResolvedOutputs {
  const resolver = new Resolver(components, unknown, problems);
  const resolved = components.map((component) => resolver.resolve(component));
  for (const component of components) resolver.checkFeedback(component);
  return { components: resolved, unknown: resolver.unknown };
}

class Resolver {
  readonly unknown: Set<string>;
  private readonly byId = new Map<string, ComponentDefinition>();
  private readonly done = new Map<ComponentDefinition, ComponentDefinition>();
  /** Those that are being worked out: who meets one of them again stands in a cycle. */
  private readonly underWay = new Set<ComponentDefinition>();
  private readonly problems: ProblemList;

  constructor(components: readonly ComponentDefinition[], unknown: ReadonlySet<string>, problems: ProblemList) {
    this.unknown = new Set(unknown);
    this.problems = problems;
    for (const component of components) if (!this.byId.has(component.id)) this.byId.set(component.id, component);
  }

  resolve(component: ComponentDefinition): ComponentDefinition {
    const before = this.done.get(component);
    if (before !== undefined) return before;
    const { outputsFor } = component;
    let resolved = component;
    if (outputsFor !== undefined && !this.unknown.has(component.id)) {
      this.underWay.add(component);
      const inputs = component.kind === 'bolt' ? component.inputs : [];
      const inputFields = inputs.map((input) =>
        input.feedback === true ? undefined : this.fieldsOf(input.from, input.stream),
      );
      const outputs = outputsFor(component.config, inputFields, this.problems);
      this.underWay.delete(component);
      if (outputs === null) this.unknown.add(component.id);
      if (!sameOutputs(outputs ?? noOutputs, component.outputs)) {
        resolved = { ...component, outputs: outputs ?? noOutputs };
      }
    }
    this.done.set(component, resolved);
    return resolved;
  }

  /** Works the outputs of a component with feedback out again, now that the fields of all its inputs are known. */
  checkFeedback(component: ComponentDefinition): void {
    const { outputsFor, id } = component;
    if (component.kind === 'spout' || outputsFor === undefined || this.unknown.has(id)) return;
    if (!component.inputs.some((input) => input.feedback === true)) return;
    const inputFields = component.inputs.map((input) => this.fieldsOf(input.from, input.stream));
    if (inputFields.includes(null)) return;
    const outputs = outputsFor(component.config, inputFields, this.problems);
    if (outputs === null || sameOutputs(outputs, this.resolve(component).outputs)) return;
    const what = 'with what comes back by its feedback they are others';
    this.problems.add('MILLRACE_TOPOLOGY_OUTPUTS', `${componentPath('bolt', id)}.outputs`, { component: id, what });
  }

  private fieldsOf(id: string, stream: string): Fields | null {
    const source = this.byId.get(id);
    if (source === undefined || this.underWay.has(source)) return null;
    const { outputs } = this.resolve(source);
    if (this.unknown.has(id) || !Object.hasOwn(outputs, stream)) return null;
    return outputs[stream] ?? null;
  }
}

const noOutputs: OutputsByStream = {};

function sameOutputs(left: OutputsByStream, right: OutputsByStream): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
