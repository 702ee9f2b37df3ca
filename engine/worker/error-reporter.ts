// Tells the supervisor what user code threw, without letting a bolt that fails on every tuple flood it: a few reports a
// second for each component, the rest counted into the next one. One a worker.

import type { Clock } from '../clock.js';
import { ERROR_TEXT_MAX, ERRORS_REPORTED_PER_SECOND } from '../limits.js';
import { failure, fromWire, inComponent, isMillraceError, reasonOf, toWire, type WireError } from '../errors.js';
import type { ErrorReport } from './messages.js';

interface Window {
  second: number;
  reported: number;
  /** Errors since the last report. */
  unreported: number;
}

export class ErrorReporter {
  private readonly clock: Clock;
  private readonly send: (report: ErrorReport) => void;
  private readonly windows = new Map<string, Window>();

  constructor(clock: Clock, send: (report: ErrorReport) => void) {
    this.clock = clock;
    this.send = send;
  }

  /** Tells of what comes seldom enough by itself. */
  tell(component: string, task: number, error: WireError): void {
    this.send({ component, task, count: 1, error: cut(error) });
  }

  report(component: string, task: number, call: string, thrown: unknown): void {
    const second = Math.floor(this.clock.now() / 1000);
    const window = this.windows.get(component) ?? { second, reported: 0, unreported: 0 };
    this.windows.set(component, window);
    if (window.second !== second) {
      window.second = second;
      window.reported = 0;
    }
    window.unreported++;
    const fatal = endsTopology(call, thrown);
    if (window.reported >= ERRORS_REPORTED_PER_SECOND && !fatal) return;
    window.reported++;
    this.send({ component, task, count: window.unreported, error: cut(wireOf(component, task, call, thrown)) });
    window.unreported = 0;
  }
}

/**
 * Errors of the catalogue speak for themselves, and name the component where they end the topology; others get a code
 * and say which call threw them, and keep their stack.
 */
function wireOf(component: string, task: number, call: string, thrown: unknown): WireError {
  const fatal = endsTopology(call, thrown);
  if (isMillraceError(thrown)) return fatal ? { ...inComponent(toWire(thrown), component), fatal } : toWire(thrown);
  const ours = toWire(failure('MILLRACE_TASK_THREW', { call, component, task, reason: reasonOf(thrown) }));
  return { ...ours, fatal, stack: toWire(thrown).stack };
}

/** User code can throw a text of any length. */
function cut(error: WireError): WireError {
  const { message, stack } = error;
  return { ...error, message: cutText(message), stack: stack === null ? null : cutText(stack) };
}

function cutText(text: string): string {
  return text.length <= ERROR_TEXT_MAX ? text : `${text.slice(0, ERROR_TEXT_MAX)}…`;
}

/** What no replay can help: a component says so, or what it had to say at the end is lost. */
function endsTopology(call: string, thrown: unknown): boolean {
  return call === 'finish' || (isMillraceError(thrown) && thrown.fatal);
}

/**
 * The error of a component that could not be made, opened, prepared or activated: it says which, and keeps the stack.
 */
export function startError(call: string, component: string, thrown: unknown): Error {
  const wire = toWire(thrown);
  if (wire.code?.startsWith('MILLRACE_') === true) return fromWire(inComponent(wire, component));
  const ours = failure('MILLRACE_WORKER_START', { call, component, reason: reasonOf(thrown) }, { cause: thrown });
  if (wire.stack !== null) ours.stack = wire.stack;
  return ours;
}
