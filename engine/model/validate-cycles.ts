// The rules of cycles: each names a feedback edge, every edge that is named so closes a cycle, tuples come in from
// outside, and tuples that are not tracked may be dropped where they find it full. Pure, any thread.

import { cyclesOf, findCycles } from './cycles.js';
import type { BoltDefinition, ComponentDefinition, InputDefinition, TopologyConfig } from './definition.js';
import { OVERFLOWS } from './definition.js';
import { componentPath, shown } from './names.js';
import type { ProblemList } from './problems.js';
import { listed } from './suggest.js';

const CYCLE_SHOWN_MAX = 8;

/** @param components - with different ids */
export function checkCycles(
  components: readonly ComponentDefinition[],
  config: TopologyConfig,
  problems: ProblemList,
): void {
  const bolts = components.filter((component): component is BoltDefinition => component.kind === 'bolt');
  for (const { bolt, inputIndex, through } of findCycles(bolts)) {
    const path = `${componentPath('bolt', bolt)}.inputs[${inputIndex}]`;
    problems.add('MILLRACE_TOPOLOGY_CYCLE', path, { cycle: shownCycle(through, bolt) });
  }
  const cycleOf = new Map(cyclesOf(bolts).flatMap((together) => together.map((id) => [id, together] as const)));
  const untracked = untrackedComponents(components, config);
  for (const bolt of bolts) {
    bolt.inputs.forEach((input, index) => {
      const path = `${componentPath('bolt', bolt.id)}.inputs[${index}]`;
      checkFlags(bolt, input, path, problems);
      if (input.feedback !== true) return;
      const together = cycleOf.get(bolt.id);
      const refuse = (what: string, expected: string, at = 'feedback'): void =>
        problems.add('MILLRACE_TOPOLOGY_FEEDBACK', `${path}.${at}`, {
          component: bolt.id,
          source: input.from,
          what,
          expected,
        });
      if (!components.some(({ id }) => id === input.from)) return;
      if (together?.includes(input.from) !== true) {
        refuse('no cycle goes through it', 'take it as any other stream');
        return;
      }
      if (bolt.inputs.some((other) => other.from === input.from && other.feedback !== true)) {
        refuse('another stream of it is taken without', 'name all streams between the two as feedback, or none');
      }
      if (!together.some((id) => takesFromOutside(bolts, id, together))) {
        refuse('nothing comes into the cycle', 'have one of its bolts take from outside of it');
      }
      if (input.overflow !== 'drop' && untracked.has(input.from)) {
        const expected = "track them, or say overflow: 'drop': they are dropped, and counted, where it is full";
        refuse('some of its tuples are not tracked, so they could not be replayed where it is full', expected);
      }
    });
  }
}

function checkFlags(bolt: BoltDefinition, input: InputDefinition, path: string, problems: ProblemList): void {
  const { feedback, overflow, from } = input as Omit<InputDefinition, 'feedback' | 'overflow'> & {
    readonly feedback?: unknown;
    readonly overflow?: unknown;
  };
  if (feedback !== undefined && typeof feedback !== 'boolean') {
    const details = { what: `feedback of an input of "${bolt.id}"`, actual: shown(feedback) };
    problems.add('MILLRACE_TOPOLOGY_FLAG', `${path}.feedback`, details);
  }
  if (overflow === undefined) return;
  if (!(OVERFLOWS as readonly unknown[]).includes(overflow)) {
    const what = `its overflow is ${shown(overflow)}`;
    const details = { component: bolt.id, source: from, what, expected: `overflow is one of: ${listed(OVERFLOWS)}` };
    problems.add('MILLRACE_TOPOLOGY_FEEDBACK', `${path}.overflow`, details);
  } else if (feedback !== true) {
    const expected = 'name it as feedback, or leave the overflow out';
    const details = { component: bolt.id, source: from, what: 'only its overflow is said', expected };
    problems.add('MILLRACE_TOPOLOGY_FEEDBACK', `${path}.overflow`, details);
  }
}

function takesFromOutside(bolts: readonly BoltDefinition[], id: string, together: readonly string[]): boolean {
  return bolts.some((bolt) => bolt.id === id && bolt.inputs.some((input) => !together.includes(input.from)));
}

/** The components that may emit what is known not to be tracked: what comes from spouts that emit without ids. */
function untrackedComponents(components: readonly ComponentDefinition[], config: TopologyConfig): ReadonlySet<string> {
  if (!config.tracking) return new Set(components.map(({ id }) => id));
  const takers = new Map<string, string[]>();
  for (const component of components) {
    if (component.kind === 'spout') continue;
    for (const { from } of component.inputs) takers.set(from, [...(takers.get(from) ?? []), component.id]);
  }
  const found = new Set<string>();
  const open = components.flatMap((each) => (each.kind === 'spout' && each.untracked === true ? [each.id] : []));
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(takers.get(id) ?? []));
  }
  return found;
}

function shownCycle(through: readonly string[], bolt: string): string {
  const first = through[0] ?? bolt;
  const round = [...through, first];
  if (round.length <= CYCLE_SHOWN_MAX) return round.join(' → ');
  return `${round.slice(0, CYCLE_SHOWN_MAX - 1).join(' → ')} → … → ${first}`;
}
