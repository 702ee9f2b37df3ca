// The bolt `filter`: passes the tuples for which an expression holds, as they are. Invariant: a tuple is passed on,
// dropped, or fails with the place in the expression; nothing in between. On the worker's thread.

import { Bolt } from '../../component/bolt.js';
import type { BoltContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import type { DynamicOutputs } from '../../component/spec.js';
import type { Tuple } from '../../component/tuple.js';
import type { Problem } from '../../errors.js';
import { shown } from '../../model/names.js';
import { Settings } from '../settings.js';
import { isExpression, readExpression, type Expression, type ExpressionPlace } from './cel.js';
import { invalidExpressions, sameFields } from './fields.js';

/** What a filter with these inputs emits: what it takes. Checks its expression. */
export const filterOutputs: DynamicOutputs = (inputs, config, around) => {
  const where = new Settings('filter', config).text('where');
  const fields = sameFields(inputs, around);
  const read = readCondition(where, fields, around.component);
  if (!isExpression(read)) throw invalidExpressions([read]);
  return fields === null ? null : { default: fields };
};

/** Passes some tuples on. Setting: `where`. */
export class Filter extends Bolt {
  private readonly where: string;
  private component = '';
  private condition: Expression | null = null;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>>) {
    super();
    this.where = new Settings('filter', config).text('where');
  }

  override prepare(context: BoltContext): void {
    this.component = context.component;
  }

  override execute(tuple: Tuple, emit: Emit): void {
    this.condition ??= this.read(tuple.fields);
    const holds = this.condition.evaluate(tuple);
    if (holds === true) emit(tuple.values);
    else if (holds !== false) throw this.condition.failure(tuple, `it gives ${shown(holds)}, not true or false`);
  }

  private read(fields: readonly string[]): Expression {
    const read = readCondition(this.where, fields, this.component);
    if (isExpression(read)) return read;
    throw invalidExpressions([read]);
  }
}

function readCondition(where: string, fields: readonly string[] | null, component: string): Expression | Problem {
  const place: ExpressionPlace = { component, key: 'where' };
  const read = readExpression(where, fields, place);
  if (!isExpression(read) || read.type === 'bool' || read.type === 'dyn') return read;
  return read.problem(`it must give true or false, not ${read.type}`);
}
