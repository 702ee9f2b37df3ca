// The one catalogue of errors: every failure that a user can meet has a code, with its message, a hint and an HTTP
// status. Errors cross threads as data (`toWire`, `fromWire`), because a thrown error loses its name and code there,
// and are known by a registered symbol, never by `instanceof`, because a bundle carries a copy of this module of its
// own.
//
// Adding one: an entry in error-catalogue/, in the file of its area, called `MILLRACE_<AREA>_<WHAT>`; the message names
// the thing in quotes; `{name}` marks what the thrower fills in.

import { apiErrors } from './error-catalogue/api.js';
import { clusterErrors } from './error-catalogue/cluster.js';
import { commandErrors } from './error-catalogue/command.js';
import { connectErrors } from './error-catalogue/connect.js';
import { coordinationErrors } from './error-catalogue/coordination.js';
import { engineErrors } from './error-catalogue/engine.js';
import { ensembleErrors } from './error-catalogue/ensemble.js';
import { modelErrors } from './error-catalogue/model.js';
import { parameterErrors } from './error-catalogue/parameters.js';
import { rebalanceErrors } from './error-catalogue/rebalance.js';
import { replaceErrors } from './error-catalogue/replace.js';
import { recipeErrors } from './error-catalogue/recipes.js';
import { spoutErrors } from './error-catalogue/spouts.js';
import { supervisionErrors } from './error-catalogue/supervision.js';
import { zookeeperErrors } from './error-catalogue/zookeeper.js';

/** Every error of Millrace, by code. */
export const catalogue = {
  ...modelErrors,
  ...engineErrors,
  ...rebalanceErrors,
  ...replaceErrors,
  ...spoutErrors,
  ...parameterErrors,
  ...supervisionErrors,
  ...connectErrors,
  ...commandErrors,
  ...coordinationErrors,
  ...clusterErrors,
  ...ensembleErrors,
  ...zookeeperErrors,
  ...recipeErrors,
  ...apiErrors,
} as const;

export type ErrorCode = keyof typeof catalogue;

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** What the message and the hint of an error need to be filled in. */
export type ErrorDetails<C extends ErrorCode> = Readonly<
  Record<Names<(typeof catalogue)[C]['message'] | (typeof catalogue)[C]['hint']>, string | number>
>;

/** One thing that is wrong with a topology: which rule, where in it, what, and what to do. */
export interface Problem {
  readonly code: string;
  /** Where: `bolts.count.inputs[0].fields[0]`. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** An error as plain data, for ports, files and HTTP. */
export interface WireError {
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
  readonly hint: string | null;
  readonly stack: string | null;
  readonly fatal: boolean;
  readonly problems: readonly Problem[];
}

const BRAND = Symbol.for('millrace.error');

/** An error from the catalogue. Test for it with {@link isMillraceError}. */
export class MillraceError extends Error {
  readonly [BRAND] = true;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly status: number;
  readonly problems: readonly Problem[];
  /** Thrown by a component, it ends the topology instead of failing one tuple: no replay can help. */
  readonly fatal: boolean;

  constructor(code: ErrorCode, message: string, hint: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MillraceError';
    this.code = code;
    this.hint = hint;
    this.status = catalogue[code].status;
    this.problems = options.problems ?? [];
    this.fatal = options.fatal ?? false;
  }
}

export interface FailureOptions {
  readonly cause?: unknown;
  readonly problems?: readonly Problem[];
  readonly fatal?: boolean;
}

/** Makes the error of that code, with its message and hint filled in. */
export function failure<C extends ErrorCode>(
  code: C,
  details: ErrorDetails<C>,
  options: FailureOptions = {},
): MillraceError {
  const entry = catalogue[code];
  return new MillraceError(code, fill(entry.message, details), fill(entry.hint, details), options);
}

/** Makes the problem of that code at that path, with its message and hint filled in. */
export function problem<C extends ErrorCode>(code: C, path: string, details: ErrorDetails<C>, hint?: string): Problem {
  const entry = catalogue[code];
  return { code, path, message: fill(entry.message, details), hint: hint ?? fill(entry.hint, details) };
}

function fill(template: string, details: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole));
}

export function isMillraceError(value: unknown): value is MillraceError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** What stands for a thrown thing that cannot be read: an object without a prototype, a getter that throws. */
const UNSHOWN = 'something that cannot be shown as text';

/** The message of whatever was thrown; never throws itself. */
export function reasonOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message === '' ? thrown.name : thrown.message);
    if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
    return String(thrown);
  } catch {
    return UNSHOWN;
  }
}

/** Whatever was thrown, as plain data; never throws itself. */
export function toWire(thrown: unknown): WireError {
  try {
    return readError(thrown);
  } catch {
    return {
      name: 'Error',
      code: null,
      message: reasonOf(thrown),
      hint: null,
      stack: null,
      fatal: false,
      problems: [],
    };
  }
}

function readError(thrown: unknown): WireError {
  const error = thrown as Partial<MillraceError> | null | undefined;
  const ours = isMillraceError(thrown);
  return {
    name: typeof error?.name === 'string' ? error.name : 'Error',
    code: typeof error?.code === 'string' ? error.code : null,
    message: reasonOf(thrown),
    hint: ours ? thrown.hint : null,
    stack: typeof error?.stack === 'string' ? error.stack : null,
    fatal: ours && thrown.fatal,
    problems: ours ? thrown.problems : [],
  };
}

/** The error with the component that it came from in front of its message, where that does not name it already. */
export function inComponent(error: WireError, component: string): WireError {
  const names = ['component', 'spout', 'bolt'].map((kind) => `${kind} "${component}"`);
  if (names.some((name) => error.message.includes(name))) return error;
  return { ...error, message: `component "${component}": ${error.message}` };
}

/** The error that `toWire` took apart: one of the catalogue where its code is in it, else a plain one. */
export function fromWire(wire: WireError): Error {
  if (wire.code !== null && Object.hasOwn(catalogue, wire.code)) {
    const error = new MillraceError(wire.code as ErrorCode, wire.message, wire.hint ?? '', {
      problems: wire.problems,
      fatal: wire.fatal,
    });
    if (wire.stack !== null) error.stack = wire.stack;
    return error;
  }
  const error: Error & { code?: string } = new Error(wire.message);
  error.name = wire.name;
  if (wire.code !== null) error.code = wire.code;
  if (wire.stack !== null) error.stack = wire.stack;
  return error;
}
