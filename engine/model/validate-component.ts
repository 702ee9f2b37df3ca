// The rules of one component by itself: its parallelism, how its calls are treated, and the names of its streams and
// fields. Pure, any thread.

import { CONCURRENCY_MAX, FIELDS_MAX, NAME_LENGTH_MAX, STREAMS_MAX, TASKS_MAX } from '../limits.js';
import { checkDurationMs, checkLabels, checkWhole } from './config.js';
import type { BoltBehavior, ComponentDefinition, OutputsByStream } from './definition.js';
import { isFieldName, isName, keyPath, shown } from './names.js';
import type { ProblemList } from './problems.js';

export function checkComponent(component: ComponentDefinition, path: string, problems: ProblemList): void {
  const what = `the parallelism of "${component.id}"`;
  checkWhole(problems, `${path}.parallelism`, what, component.parallelism, 1, TASKS_MAX);
  const { labels = [] } = component;
  checkLabels(problems, `${path}.labels`, `labels of "${component.id}"`, labels);
  if (component.kind === 'bolt') checkBehavior(component.id, component.behavior, path, problems);
  checkOutputs(component.id, component.outputs, `${path}.outputs`, problems);
}

function checkBehavior(id: string, behavior: BoltBehavior, path: string, problems: ProblemList): void {
  const { concurrency, tickMs, callTimeoutMs, ordered, manualAck } = behavior;
  checkWhole(problems, `${path}.concurrency`, `the concurrency of "${id}"`, concurrency, 1, CONCURRENCY_MAX);
  if (tickMs !== null) checkDurationMs(problems, `${path}.tickEvery`, `tickEvery of "${id}"`, tickMs);
  if (callTimeoutMs !== null) {
    checkDurationMs(problems, `${path}.callTimeout`, `callTimeout of "${id}"`, callTimeoutMs);
  }
  for (const key of ['manualAck', 'ordered'] as const) {
    const value: unknown = behavior[key];
    if (typeof value === 'boolean') continue;
    problems.add('MILLRACE_TOPOLOGY_FLAG', `${path}.${key}`, { what: `${key} of "${id}"`, actual: shown(value) });
  }
  // A tuple that is acked by hand may be done before its emits, which wait for their turn, are part of its tree.
  if (ordered === true && manualAck === true) {
    problems.add('MILLRACE_TOPOLOGY_ORDERED_MANUAL', `${path}.ordered`, { component: id });
  }
}

function checkOutputs(id: string, outputs: OutputsByStream, path: string, problems: ProblemList): void {
  const streams = Object.entries(outputs);
  if (streams.length > STREAMS_MAX) {
    const details = { count: streams.length, what: `streams in "${id}"`, max: STREAMS_MAX };
    problems.add('MILLRACE_TOPOLOGY_TOO_LARGE', path, details);
  }
  for (const [stream, fields] of streams) {
    const streamPath = keyPath(path, stream);
    if (!isName(stream)) {
      problems.add('MILLRACE_TOPOLOGY_NAME', streamPath, { what: 'stream', name: stream, lengthMax: NAME_LENGTH_MAX });
    }
    if (fields.length === 0) problems.add('MILLRACE_TOPOLOGY_EMPTY_STREAM', streamPath, { stream, component: id });
    if (fields.length > FIELDS_MAX) {
      const details = { count: fields.length, what: `fields in stream "${stream}" of "${id}"`, max: FIELDS_MAX };
      problems.add('MILLRACE_TOPOLOGY_TOO_LARGE', streamPath, details);
    }
    const seen = new Set<string>();
    fields.forEach((field, index) => {
      const fieldPath = `${streamPath}[${index}]`;
      if (!isFieldName(field)) {
        const details = { name: shown(field), stream, component: id, lengthMax: NAME_LENGTH_MAX };
        problems.add('MILLRACE_TOPOLOGY_FIELD_NAME', fieldPath, details);
      } else if (seen.has(field)) {
        problems.add('MILLRACE_TOPOLOGY_DUPLICATE_FIELD', fieldPath, { field, stream, component: id });
      }
      seen.add(field);
    });
  }
}
