// The bolt `map`: one tuple for each that it takes, every field worked out by an expression. Invariant: a tuple gives
// all fields or fails, with the place in the expression. On the worker's thread.

import { Bolt } from '../../component/bolt.js';
import type { BoltContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import type { DynamicOutputs } from '../../component/spec.js';
import type { Tuple } from '../../component/tuple.js';
import { isMillraceError, reasonOf, type Problem } from '../../errors.js';
import { keyPath } from '../../model/names.js';
import { Settings } from '../settings.js';
import { isExpression, readExpression, type Expression } from './cel.js';
import { commonFields, invalidExpressions } from './fields.js';
import { NO_VALUES, resultValue } from './result.js';

/** What a map with these settings emits: its fields in their order. Checks its expressions. */
export const mapOutputs: DynamicOutputs = (_inputs, config, around) => {
  const texts = expressionTexts(config);
  readAll(texts, commonFields(around), around.component);
  return { default: texts.map(([field]) => field) };
};

/** Emits what its expressions give. Setting: `fields`, an expression for each field to emit. */
export class MapFields extends Bolt {
  private readonly texts: readonly (readonly [string, string])[];
  private component = '';
  private expressions: readonly Expression[] | null = null;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    this.texts = expressionTexts(config);
  }

  override prepare(context: BoltContext): void {
    this.component = context.component;
  }

  override execute(tuple: Tuple, emit: Emit): void {
    this.expressions ??= readAll(this.texts, tuple.fields, this.component);
    const values: unknown[] = [];
    for (const expression of this.expressions) values.push(valueOf(expression, tuple));
    emit(values);
  }
}

function valueOf(expression: Expression, tuple: Tuple): unknown {
  const given = expression.evaluate(tuple);
  if (typeof given !== 'object' && typeof given !== 'bigint') return given;
  try {
    return resultValue(given);
  } catch (thrown) {
    throw isMillraceError(thrown) ? thrown : expression.failure(tuple, reasonOf(thrown));
  }
}

/** @throws MILLRACE_EXPRESSION_INVALID with every expression that is wrong */
function readAll(
  texts: readonly (readonly [string, string])[],
  fields: readonly string[] | null,
  component: string,
): readonly Expression[] {
  const expressions: Expression[] = [];
  const problems: Problem[] = [];
  for (const [field, text] of texts) {
    const read = readExpression(text, fields, { component, key: keyPath('fields', field) });
    if (!isExpression(read)) problems.push(read);
    else if (NO_VALUES.has(read.type)) problems.push(read.problem(`it gives a ${read.type}, which no tuple can hold`));
    else expressions.push(read);
  }
  if (problems.length > 0) throw invalidExpressions(problems);
  return expressions;
}

function expressionTexts(config: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  const settings = new Settings('map', config);
  const fields = settings.any('fields');
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields) || Object.keys(fields).length === 0) {
    throw settings.wrong('fields', 'must be an object with an expression for each field to emit');
  }
  return Object.entries(fields).map(([field, text]: [string, unknown]) => {
    if (typeof text !== 'string' || text === '')
      throw settings.wrong(keyPath('fields', field), 'must be an expression');
    return [field, text];
  });
}
