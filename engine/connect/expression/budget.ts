// Bounds what one evaluation of an expression may cost. CEL ends by itself, but macros inside macros multiply (a list
// of a million against itself), and `+` inside them grows memory with the time. So every step of a compiled expression
// is charged by the size of what it gave: each operation of CEL takes time and room in proportion to its operands, so
// the sum bounds both. Invariants: once the budget is spent no further step is worked out, whatever catches the error
// (`||` and `exists` do); what an operator or a function is given is nested at most a few levels at its front, because
// the library keeps a type for every shape that it meets. Any thread.
//
// The library has no hook for this: its nodes have an `evaluate`, which puts the right function in its own place when
// it first runs. It is wrapped here, and a test holds that the bound still bites.

import { EXPRESSION_COST_MAX, EXPRESSION_SHAPE_DEPTH_MAX } from '../../limits.js';

/** A node of an expression, as far as it is touched here. */
export interface ExpressionNode {
  readonly op: string;
  readonly args: unknown;
  readonly meta?: Readonly<Record<string, unknown>>;
  evaluate: (this: unknown, evaluator: unknown, node: unknown, context: unknown) => unknown;
}

/** Thrown by a step when the budget is spent or a value is nested too deep. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
}

/** What one evaluation has cost so far. */
export class Budget {
  private readonly costMax: number;
  private cost = 0;
  private spent: BudgetError | null = null;

  constructor(costMax = EXPRESSION_COST_MAX) {
    this.costMax = costMax;
  }

  /** Before each evaluation. */
  restart(): void {
    this.cost = 0;
    this.spent = null;
  }

  /** @throws BudgetError when the evaluation that just ended had spent its budget, whatever it gave */
  check(): void {
    if (this.spent !== null) throw this.spent;
  }

  /** Has every step below that node charged here. */
  charge(root: ExpressionNode): void {
    const nodes = [...nodesOf(root)];
    const operands = new Set<unknown>();
    for (const { op, args } of nodes) if (OPERATIONS.has(op)) for (const each of operandsOf(args)) operands.add(each);
    for (const node of nodes) {
      const charge = gathers(node)
        ? () => this.add(1)
        : operands.has(node)
          ? (value: unknown) => this.addOperand(value)
          : (value: unknown) => this.add(costOf(value));
      this.wrap(node, charge);
    }
  }

  private wrap(node: ExpressionNode, charge: (value: unknown) => void): void {
    let run = node.evaluate;
    let settled = false;
    const charged: ExpressionNode['evaluate'] = (evaluator, self, context) => {
      if (this.spent !== null) throw this.spent;
      let value: unknown;
      if (settled) {
        value = run.call(node, evaluator, self, context);
      } else {
        try {
          value = run.call(node, evaluator, self, context);
        } finally {
          if (node.evaluate !== charged) run = node.evaluate;
          node.evaluate = charged;
          settled = true;
        }
      }
      charge(value);
      return value;
    };
    node.evaluate = charged;
  }

  private addOperand(value: unknown): void {
    if (typeof value === 'object' && value !== null && isDeep(value)) {
      throw new BudgetError(`a value is nested deeper than ${EXPRESSION_SHAPE_DEPTH_MAX} levels`);
    }
    this.add(costOf(value));
  }

  private add(cost: number): void {
    this.cost += cost;
    if (this.cost <= this.costMax) return;
    this.spent = new BudgetError(`it takes more than ${this.costMax} steps for this tuple`);
    throw this.spent;
  }
}

/** What looks at the types of its operands in depth. */
const OPERATIONS = new Set([
  '!=',
  '==',
  'in',
  '+',
  '-',
  '*',
  '/',
  '%',
  '<',
  '<=',
  '>',
  '>=',
  '!_',
  '-_',
  'call',
  'rcall',
]);

/** Every node of an expression once, those that a macro became included. */
export function* nodesOf(root: unknown, seen = new Set<unknown>()): Generator<ExpressionNode> {
  if (seen.has(root)) return;
  seen.add(root);
  if (isNode(root)) {
    yield root;
    yield* nodesOf(root.args, seen);
    yield* nodesOf(root.meta?.['alternate'], seen);
    yield* nodesOf(root.meta?.['macro'], seen);
  } else if (Array.isArray(root)) {
    for (const each of root) yield* nodesOf(each, seen);
  } else if (isPlain(root)) {
    for (const each of Object.values(root)) if (typeof each === 'object') yield* nodesOf(each, seen);
  }
}

function* operandsOf(args: unknown): Generator {
  if (isNode(args)) {
    yield args;
    yield args.meta?.['alternate'];
  } else if (Array.isArray(args)) {
    for (const each of args) yield* operandsOf(each);
  }
}

/** Whether what it gives is the list that a macro gathers, which each of its steps gives again. */
function gathers({ op, args }: ExpressionNode): boolean {
  if (op.startsWith('accu')) return true;
  return op === '?:' && Array.isArray(args) && args.some((each) => isNode(each) && each.op.startsWith('accu'));
}

function isNode(value: unknown): value is ExpressionNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'evaluate' in value && 'args' in value;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function costOf(value: unknown): number {
  if (typeof value === 'string') return 1 + value.length;
  if (typeof value !== 'object' || value === null) return 1;
  if (Array.isArray(value)) return 1 + value.length;
  if (ArrayBuffer.isView(value)) return 1 + value.byteLength;
  return isPlain(value) ? 1 + Object.keys(value).length : 1;
}

/** Whether the front of it (the first of the first of …) goes deeper than a few levels: that is what is looked at. */
function isDeep(value: object): boolean {
  let front: unknown = value;
  for (let depth = 0; depth < EXPRESSION_SHAPE_DEPTH_MAX; depth++) {
    if (Array.isArray(front)) front = front[0];
    else if (isPlain(front)) {
      const [first] = Object.keys(front);
      if (first === undefined) return false;
      front = front[first];
    } else return false;
  }
  return typeof front === 'object' && front !== null;
}
