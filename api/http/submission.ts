// Reads the body of a submission: a topology document with `active`, `settings`, `replace` and `wait` beside its own
// keys, or the hash of an artifact that default-exports a topology. The document itself is left to the service, which
// finds every problem in it; only where something beside it is wrong is its schema looked at here, so that one reply
// tells both. Pure.

import type { Settings } from '../../engine/model/settings.js';
import { topologySchema } from '../../engine/model/schema.js';
import { Type } from 'typebox';
import type { Submission } from '../host/service.js';
import { artifactSubmission, submissionOptions } from './schemas.js';
import { problem, type Problem } from '../../engine/errors.js';
import { problemsOf, requestInvalid } from './validation.js';

type JsonObject = Readonly<Record<string, unknown>>;

const options = Type.Object(submissionOptions);
const OPTION_KEYS: ReadonlySet<string> = new Set(Object.keys(submissionOptions));

/** The keys that only a document has. */
const DOCUMENT_KEYS = Object.keys(topologySchema.properties).filter((key) => key !== 'artifact');

/** What is asked for with a submission. */
export interface SubmissionRequest {
  readonly submission: Submission;
  /** False: the reply does not wait until it has replaced another one. */
  readonly wait: boolean;
}

/**
 * The submission in that body.
 *
 * @throws MILLRACE_REQUEST_INVALID with every problem
 */
export function readSubmission(body: unknown, method: string, route: string): SubmissionRequest {
  if (!isObject(body)) {
    throw requestInvalid(method, route, problemsOf([{ schema: Type.Object({}), value: body, path: '' }]));
  }
  const submission = isArtifact(body) ? readArtifact(body, method, route) : readDocument(body, method, route);
  return { submission, wait: body['wait'] !== false };
}

function isArtifact(body: JsonObject): boolean {
  return Object.hasOwn(body, 'artifact') && !DOCUMENT_KEYS.some((key) => Object.hasOwn(body, key));
}

function readArtifact(body: JsonObject, method: string, route: string): Submission {
  const problems = [...problemsOf([{ schema: artifactSubmission, value: body, path: '' }]), ...unfit(body)];
  if (problems.length > 0) throw requestInvalid(method, route, problems);
  const { artifact, file } = body as { readonly artifact: string; readonly file?: string };
  return { artifact, ...(file === undefined ? {} : { file }), ...chosenOptions(body) };
}

function readDocument(body: JsonObject, method: string, route: string): Submission {
  const document = Object.fromEntries(Object.entries(body).filter(([key]) => !OPTION_KEYS.has(key)));
  const beside = Object.fromEntries(Object.entries(body).filter(([key]) => OPTION_KEYS.has(key)));
  const problems = [...problemsOf([{ schema: options, value: beside, path: '' }]), ...unfit(body)];
  if (problems.length === 0) return { document, ...chosenOptions(body) };
  throw requestInvalid(method, route, [
    ...problems,
    ...problemsOf([{ schema: topologySchema, value: document, path: '' }]),
  ]);
}

/** What means nothing where nothing is replaced. */
function unfit({ wait, replace }: JsonObject): readonly Problem[] {
  if (typeof wait !== 'boolean' || replace === true) return [];
  const details = {
    what: 'wait',
    expected: 'left out',
    actual: String(wait),
    description: 'only a submission with "replace": true is waited for',
  };
  return [problem('MILLRACE_REQUEST_VALUE', 'wait', details)];
}

function chosenOptions({ active, settings, replace }: JsonObject): Pick<Submission, 'active' | 'settings' | 'replace'> {
  return {
    ...(active === undefined ? {} : { active: active as boolean }),
    ...(settings === undefined ? {} : { settings: settings as Settings }),
    ...(replace === undefined ? {} : { replace: replace as boolean }),
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
