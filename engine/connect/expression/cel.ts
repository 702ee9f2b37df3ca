// One CEL expression over the fields of a tuple: parsed and checked once, worked out for each tuple. The only file that
// knows the library, but for the costs (budget.ts). Invariant: whatever is wrong, with the expression or with a tuple,
// becomes an error that shows the expression with a mark under the place. Any thread.
//
// Numbers of tuples are doubles, as they are in JavaScript, so that `price / 2` does not depend on whether the price
// happens to be whole; written numbers without a point are integers, and the two mix. Integers leave as numbers where
// these are exact.

import { Environment, type ASTNode, type ParseResult } from '@marcbachmann/cel-js';
import type { Tuple } from '../../component/tuple.js';
import { failure, problem, reasonOf, type MillraceError, type Problem } from '../../errors.js';
import { EXPRESSION_DEPTH_MAX, EXPRESSION_LENGTH_MAX, EXPRESSION_NODES_MAX } from '../../limits.js';
import { codeFrame } from '../../model/code-frame.js';
import { printable } from '../../model/names.js';
import { listed, nearest } from '../../model/suggest.js';
import { Budget, nodesOf, type ExpressionNode } from './budget.js';

/** Where an expression stands, for its errors. */
export interface ExpressionPlace {
  readonly component: string;
  /** The setting: `where`, `fields.total`. */
  readonly key: string;
}

/** An expression that is right. */
export interface Expression {
  /** What it gives as far as that is known: `bool`, `int`, …, `dyn` for anything. */
  readonly type: string;
  /**
   * Its value for a tuple, as CEL has it: integers are bigints.
   *
   * @throws MILLRACE_EXPRESSION_FAILED
   */
  evaluate(tuple: Tuple): unknown;
  /** The error of what it gave for that tuple. */
  failure(tuple: Tuple, what: string): MillraceError;
  /** The problem that all of it is. */
  problem(what: string): Problem;
}

/** The variable that holds all fields by name, for those whose name is no variable: `tuple["user id"]`. */
const TUPLE = 'tuple';

/**
 * Regular expressions of JavaScript can take exponential time, and nothing can stop one; json() misreads plain bytes.
 */
const REFUSED_METHODS: Readonly<Record<string, string>> = {
  matches: 'there are no regular expressions, whose time has no bound: use startsWith, endsWith, contains or ==',
  json: 'json() is not part of CEL: parse binary data in a bolt of your own',
};

/** What the library says where it fails. */
interface CelFault {
  readonly code?: string;
  readonly summary?: string;
  readonly range?: { readonly start: number; readonly end: number };
}

const environment = makeEnvironment();

/**
 * Reads an expression.
 *
 * @param fields - the fields of the tuples that it will be given, or null when they are not known: then names are not
 * checked, and it cannot be evaluated
 * @returns the expression, or what is wrong with it
 */
export function readExpression(
  text: string,
  fields: readonly string[] | null,
  place: ExpressionPlace,
): Expression | Problem {
  const wrong = (start: number, end: number, what: string, meant: string | null = null): Problem =>
    invalid(text, start, end, what, meant, fields, place);
  if (text.length > EXPRESSION_LENGTH_MAX) {
    return wrong(0, 1, `it has ${text.length} characters, and may have ${EXPRESSION_LENGTH_MAX}`);
  }
  const scope = environment.clone({ unlistedVariablesAreDyn: fields === null });
  const variables = declare(scope, fields ?? []);
  let program: ParseResult;
  try {
    program = scope.parse(text);
  } catch (thrown) {
    const { start, end, what } = faultOf(thrown, text);
    return wrong(start, end, what);
  }
  const nodes = [...nodesOf(program.ast)] as unknown as readonly ASTNode[];
  for (const node of nodes) {
    const refused = node.op === 'rcall' ? REFUSED_METHODS[node.args[0]] : undefined;
    if (refused !== undefined) return wrong(node.start, node.end, refused);
    if (node.op !== 'id') continue;
    // The library takes it for its optional values, which are not there at run time.
    if (node.args === 'optional' && !variables.has('optional') && fields !== null) {
      return wrong(node.start, node.end, 'unknown field "optional"');
    }
    const alias = variables.get(node.args);
    if (alias !== undefined && !isBound(nodes, node.args)) (node as { args: string }).args = alias;
  }
  const misnamed = fields === null || fields.includes(TUPLE) ? null : unknownKey(nodes, fields);
  if (misnamed !== null) {
    const { start, end, name } = misnamed;
    return wrong(start, end, `unknown field "${name}"`, nearest(name, fields ?? []));
  }
  const checked = program.check();
  if (!checked.valid) {
    const { code, start, end, what } = faultOf(checked.error, text);
    if (code !== 'unknown_variable') return wrong(start, end, what);
    const name = text.slice(start, end);
    return wrong(start, end, `unknown field "${name}"`, nearest(name, fields ?? []));
  }
  return new Program(text, program, nodes, variables, checked.type ?? 'dyn', place, wrong);
}

/** Whether that is an expression and no problem. */
export function isExpression(read: Expression | Problem): read is Expression {
  return 'evaluate' in read;
}

class Program implements Expression {
  readonly type: string;
  private readonly text: string;
  private readonly program: ParseResult;
  private readonly place: ExpressionPlace;
  private readonly wrong: (start: number, end: number, what: string) => Problem;
  private readonly budget = new Budget();
  private readonly used: readonly (readonly [name: string, alias: string])[];
  private readonly usesTuple: boolean;
  /** One for all tuples, so that none is made for each. */
  private readonly values = Object.create(null) as Record<string, unknown>;
  private fields: readonly string[] = [];
  private positions: readonly number[] = [];

  constructor(
    text: string,
    program: ParseResult,
    nodes: readonly ASTNode[],
    variables: ReadonlyMap<string, string>,
    type: string,
    place: ExpressionPlace,
    wrong: (start: number, end: number, what: string) => Problem,
  ) {
    this.text = text;
    this.wrong = wrong;
    this.program = program;
    this.type = type;
    this.place = place;
    const ids = new Set(nodes.filter((node) => node.op === 'id').map((node) => String(node.args)));
    this.used = [...variables].filter(([, alias]) => ids.has(alias));
    this.usesTuple = ids.has(TUPLE);
    this.budget.charge(program.ast as unknown as ExpressionNode);
  }

  evaluate(tuple: Tuple): unknown {
    if (tuple.fields !== this.fields) {
      this.fields = tuple.fields;
      this.positions = this.used.map(([name]) => tuple.fields.indexOf(name));
    }
    const { used, positions, values } = this;
    for (let at = 0; at < used.length; at++) {
      // A value that is not there is null, as it is in JSON.
      values[used[at]?.[1] ?? ''] = tuple.values[positions[at] ?? -1] ?? null;
    }
    if (this.usesTuple && !tuple.fields.includes(TUPLE)) values[TUPLE] = objectOf(tuple);
    this.budget.restart();
    try {
      const value: unknown = this.program(values);
      this.budget.check();
      return value;
    } catch (thrown) {
      const { start, end, what } = faultOf(thrown, this.text);
      throw this.failed(tuple, start, end, what, thrown);
    }
  }

  failure(tuple: Tuple, what: string): MillraceError {
    return this.failed(tuple, 0, this.text.length, what, undefined);
  }

  problem(what: string): Problem {
    return this.wrong(0, this.text.length, what);
  }

  private failed(tuple: Tuple, start: number, end: number, what: string, cause: unknown): MillraceError {
    const details = { ...this.place, source: tuple.component, what, ...located(this.text, start, end) };
    return failure('MILLRACE_EXPRESSION_FAILED', details, { cause });
  }
}

function objectOf(tuple: Tuple): Record<string, unknown> {
  const object = Object.create(null) as Record<string, unknown>;
  tuple.fields.forEach((field, at) => {
    object[field] = tuple.values[at] ?? null;
  });
  return object;
}

/**
 * Declares the fields as variables, by what they are called inside: a name that CEL has a meaning for, such as `type`
 * or `list`, gets another one.
 */
function declare(scope: Environment, fields: readonly string[]): ReadonlyMap<string, string> {
  const declared = new Map<string, string>();
  for (const name of new Set([TUPLE, ...fields])) {
    for (const alias of [name, `$${name}`]) {
      try {
        scope.registerVariable(alias, 'dyn');
        declared.set(name, alias);
        break;
      } catch {
        // It is taken.
      }
    }
  }
  return declared;
}

/** Whether a macro calls its element so: `list.map(type, …)`. */
function isBound(nodes: readonly ASTNode[], name: string): boolean {
  return nodes.some(({ op, args }) => {
    const parts = op === ('comprehension' as string) ? (args as unknown as Readonly<Record<string, unknown>>) : {};
    return parts['iterVarName'] === name;
  });
}

/** The first `tuple.name` or `tuple["name"]` that names no field. */
function unknownKey(
  nodes: readonly ASTNode[],
  fields: readonly string[],
): { readonly start: number; readonly end: number; readonly name: string } | null {
  for (const node of nodes) {
    if (node.op !== '.' && node.op !== '[]') continue;
    const [object, key] = node.args;
    if (object.op !== 'id' || object.args !== TUPLE) continue;
    const name: unknown = typeof key === 'string' ? key : key.op === 'value' ? key.args : null;
    if (typeof name !== 'string' || fields.includes(name)) continue;
    const start = typeof key === 'string' ? node.end - key.length : key.start;
    return { start, end: typeof key === 'string' ? node.end : key.end, name };
  }
  return null;
}

function invalid(
  text: string,
  start: number,
  end: number,
  what: string,
  meant: string | null,
  fields: readonly string[] | null,
  { component, key }: ExpressionPlace,
): Problem {
  const known = fields === null ? '' : `: ${printable(listed(fields), 500)}`;
  const details = { component, key, what: printable(what, 300), known, ...located(text, start, end) };
  const found = problem('MILLRACE_EXPRESSION_INVALID', `config.${key}`, details);
  return meant === null ? found : { ...found, hint: `did you mean "${meant}"? ${found.hint}` };
}

function faultOf(thrown: unknown, text: string): { code: string; start: number; end: number; what: string } {
  const { code = '', summary, range } = (thrown ?? {}) as CelFault;
  const start = Math.min(range?.start ?? 0, text.length);
  const what = (summary ?? reasonOf(thrown))
    .replace(/\bdyn<([^<>]+)>/g, '$1')
    .replace(/\bEOF$/, 'the end of the expression')
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
  return { code, start, end: Math.max(start + 1, range?.end ?? start + 1), what };
}

/** Line and column, counted from 1, and the line with a mark under the place. */
function located(text: string, start: number, end: number): { line: number; column: number; frame: string } {
  const before = text.slice(0, start).split('\n');
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  const shown = printable(text.split('\n')[line - 1] ?? '', EXPRESSION_LENGTH_MAX + 1);
  return { line, column, frame: codeFrame(shown, line, column, end - start) };
}

/** CEL with arithmetic between integers and doubles, which it does not have by itself. */
function makeEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: EXPRESSION_NODES_MAX,
      maxDepth: EXPRESSION_DEPTH_MAX,
      maxListElements: EXPRESSION_NODES_MAX,
      maxMapEntries: EXPRESSION_NODES_MAX,
    },
  });
  const operators: Readonly<Record<string, (left: number, right: number) => number>> = {
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
    '%': (left, right) => left % right,
  };
  for (const [operator, operate] of Object.entries(operators)) {
    const mixed = (left: number | bigint, right: number | bigint): number => operate(Number(left), Number(right));
    made.registerOperator(`double ${operator} int: double`, mixed);
    made.registerOperator(`int ${operator} double: double`, mixed);
  }
  made.registerOperator('double % double: double', (left: number, right: number) => left % right);
  return made;
}
