// The rules of one subscription's grouping: it exists, it has the key that it needs and the stream has that key, and it
// has no option that means nothing to it. Direct streams are taken by the direct grouping, and only they are. Pure, any
// thread.

import type { BoltDefinition, Fields, InputDefinition } from './definition.js';
import { GROUPINGS } from './definition.js';
import { shown } from './names.js';
import type { ProblemList } from './problems.js';
import { listed } from './suggest.js';

/** What is known of the stream that is taken; null where it is not. */
export interface StreamTaken {
  readonly fields: Fields | null;
  readonly isDirect: boolean | null;
}

const KEYED: readonly unknown[] = ['fields', 'partial-key'];
const SHUFFLES: readonly unknown[] = ['shuffle', 'none'];

export function checkGrouping(
  bolt: BoltDefinition,
  input: InputDefinition,
  path: string,
  taken: StreamTaken,
  problems: ProblemList,
): void {
  const { from: source, grouping, fields, stream, locality, custom } = input;
  const common = { component: bolt.id, source, grouping: shown(grouping) };
  if (!(GROUPINGS as readonly unknown[]).includes(grouping)) {
    const near = { name: String(grouping), known: GROUPINGS };
    const details = { ...common, known: listed(GROUPINGS) };
    problems.add('MILLRACE_TOPOLOGY_UNKNOWN_GROUPING', `${path}.grouping`, details, near);
    return;
  }
  if (locality !== undefined && !SHUFFLES.includes(grouping)) {
    const details = { ...common, option: 'locality', known: '"shuffle" and "none"' };
    problems.add('MILLRACE_TOPOLOGY_GROUPING_OPTION', `${path}.locality`, details);
  } else if (locality !== undefined && typeof (locality as unknown) !== 'boolean') {
    const details = { what: `locality of an input of "${bolt.id}"`, actual: shown(locality) };
    problems.add('MILLRACE_TOPOLOGY_FLAG', `${path}.locality`, details);
  }
  if (grouping !== 'custom' && custom !== undefined) {
    const details = { ...common, option: 'custom', known: '"custom"' };
    problems.add('MILLRACE_TOPOLOGY_GROUPING_OPTION', `${path}.custom`, details);
  } else if (grouping === 'custom' && custom === undefined) {
    const details = { component: bolt.id, source, actual: 'nothing' };
    problems.add('MILLRACE_TOPOLOGY_CUSTOM', `${path}.custom`, details);
  }
  const isDirect = grouping === 'direct';
  if (taken.isDirect !== null && taken.isDirect !== isDirect) {
    const what = isDirect
      ? `by the direct grouping, though that stream of "${source}" is not direct`
      : `by the grouping "${grouping}", though its tuples go where "${source}" sends them`;
    const expected = isDirect
      ? `declare it as direct in the outputs of "${source}", { ${stream}: { direct: ['…'] } }, or choose another grouping`
      : 'take it by the grouping "direct"';
    problems.add('MILLRACE_TOPOLOGY_DIRECT', `${path}.grouping`, { component: bolt.id, stream, what, expected });
  }
  if (KEYED.includes(grouping)) {
    checkKey(bolt, input, path, taken.fields, problems);
  } else if (fields.length > 0) {
    problems.add('MILLRACE_TOPOLOGY_GROUPING_WITH_FIELDS', `${path}.fields`, common);
  }
}

function checkKey(
  bolt: BoltDefinition,
  input: InputDefinition,
  path: string,
  streamFields: Fields | null,
  problems: ProblemList,
): void {
  const { from: source, grouping, fields, stream } = input;
  if (fields.length === 0) {
    const details = {
      component: bolt.id,
      source,
      grouping: shown(grouping),
      known: streamFields === null ? 'fields that are not known here' : listed(streamFields),
    };
    problems.add('MILLRACE_TOPOLOGY_GROUPING_WITHOUT_FIELDS', `${path}.fields`, details);
  }
  const seen = new Set<string>();
  fields.forEach((field, index) => {
    const fieldPath = `${path}.fields[${index}]`;
    if (seen.has(field)) {
      problems.add('MILLRACE_TOPOLOGY_REPEATED_KEY', fieldPath, { component: bolt.id, source, field });
    } else if (streamFields !== null && !streamFields.includes(field)) {
      const details = { component: bolt.id, source, stream, field, known: listed(streamFields) };
      problems.add('MILLRACE_TOPOLOGY_UNKNOWN_FIELD', fieldPath, details, { name: field, known: streamFields });
    }
    seen.add(field);
  });
}
