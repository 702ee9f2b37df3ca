// How errors look on standard error: the code and the message, the problems one a line with their paths, the frames
// of the user's code, the hint. Pure but for the current directory, which paths are shown relative to.

import type { Problem, WireError } from '../../engine/errors.js';
import type { ErrorReport } from '../../engine/worker/topology-run.js';
import { formatFrame, userFrames } from '../stack.js';
import { formatCount } from './numbers.js';

const FRAMES_MAX = 8;

/** An error that ended the command. Several lines, without a line break at the end. */
export function formatError(error: WireError): string {
  const head = error.code === null ? `error ${error.name}: ${error.message}` : `error ${error.code}: ${error.message}`;
  const hint = error.hint === null || error.hint === '' ? [] : [`hint: ${error.hint}`];
  // Some messages list their problems themselves.
  const problems = error.problems.filter(({ message }) => !error.message.includes(message));
  return [head, ...problems.map(formatProblem), ...formatFrames(error), ...hint].join('\n');
}

/** The last line of standard output of a command that failed, with `--json`. */
export function errorLine({ name, code, message, hint, problems }: WireError): object {
  return { type: 'error', error: { name, code, message, hint, problems } };
}

/** An error that a component reported while its topology went on. Several lines, without a line break at the end. */
export function formatReport({ component, task, count, error }: ErrorReport): string {
  const hasComponent = error.message.includes(`"${component}"`);
  const hasTask = error.message.includes(`task ${task}`);
  const place = hasComponent ? (hasTask ? '' : ` in task ${task}`) : ` in component "${component}" (task ${task})`;
  const times = count > 1 ? ` (${formatCount(count)} times since the last report)` : '';
  return [`error ${error.code ?? error.name}${place}: ${error.message}${times}`, ...formatFrames(error)].join('\n');
}

function formatProblem({ path, code, message, hint }: Problem): string {
  return `  ${path}: ${message} [${code}]${hint === '' ? '' : `\n    hint: ${hint}`}`;
}

function formatFrames({ code, stack }: WireError): string[] {
  const frames = userFrames(stack).slice(0, FRAMES_MAX);
  if (frames.length > 0) return frames.map((frame) => `    ${formatFrame(frame)}`);
  // An error that is in no catalogue and in nobody's code is a fault of Millrace: show where.
  return code === null && stack !== null ? stack.split('\n').slice(1, FRAMES_MAX + 1) : [];
}
