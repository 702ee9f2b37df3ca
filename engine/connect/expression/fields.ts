// What `filter` and `map` have in common before any tuple comes: which fields they may name, given their inputs, and
// all that is wrong with their expressions as one error. Pure, any thread.

import type { OutputsSurroundings } from '../../component/spec.js';
import { failure, MillraceError, type Problem } from '../../errors.js';
import type { Fields, InputDefinition } from '../../model/definition.js';
import { listed } from '../../model/suggest.js';

/** The fields that every input has, in the order of the first one; null when those of an input are not known. */
export function commonFields({ inputFields }: OutputsSurroundings): Fields | null {
  const [first, ...others] = inputFields;
  if (first === undefined) return null;
  let common: Fields | null = first;
  for (const fields of others) {
    common = common === null || fields === null ? null : common.filter((field) => fields.includes(field));
  }
  return common;
}

/**
 * The fields that all inputs have alike; null when those of an input are not known.
 *
 * @throws MILLRACE_EXPRESSION_INPUTS
 */
export function sameFields(inputs: readonly InputDefinition[], around: OutputsSurroundings): Fields | null {
  const { component, inputFields } = around;
  const [first = null] = inputFields;
  let known = first !== null;
  inputFields.forEach((fields, index) => {
    if (fields === null) known = false;
    if (fields === null || first === null || JSON.stringify(fields) === JSON.stringify(first)) return;
    const what = `${listed(first)} of "${inputs[0]?.from ?? ''}", ${listed(fields)} of "${inputs[index]?.from ?? ''}"`;
    throw failure('MILLRACE_EXPRESSION_INPUTS', { component, what }, { fatal: true });
  });
  return known ? first : null;
}

/** One error for all expressions that are wrong. */
export function invalidExpressions(problems: readonly Problem[]): MillraceError {
  const message = problems.map((each) => each.message).join('\n');
  return new MillraceError('MILLRACE_EXPRESSION_INVALID', message, problems[0]?.hint ?? '', { problems, fatal: true });
}
