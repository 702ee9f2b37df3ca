// Reads the body of a submission: a topology document with `active` and `settings` beside its own keys, or the hash of
// an artifact that default-exports a topology. The document itself is left to the service, which finds every problem in
// it; only where something beside it is wrong is its schema looked at here, so that one reply tells both. Pure.

import type { Settings } from '../../engine/model/settings.js';
import { topologySchema } from '../../engine/model/schema.js';
import { Type } from 'typebox';
import type { Submission } from '../host/service.js';
import { artifactSubmission, submissionOptions } from './schemas.js';
import { problemsOf, requestInvalid } from './validation.js';

type JsonObject = Readonly<Record<string, unknown>>;

const options = Type.Object(submissionOptions);

/** The keys that only a document has. */
const DOCUMENT_KEYS = Object.keys(topologySchema.properties).filter((key) => key !== 'artifact');

/**
 * The submission in that body.
 *
 * @throws MILLRACE_REQUEST_INVALID with every problem
 */
export function readSubmission(body: unknown, method: string, route: string): Submission {
  if (!isObject(body)) {
    throw requestInvalid(method, route, problemsOf([{ schema: Type.Object({}), value: body, path: '' }]));
  }
  return isArtifact(body) ? readArtifact(body, method, route) : readDocument(body, method, route);
}

function isArtifact(body: JsonObject): boolean {
  return Object.hasOwn(body, 'artifact') && !DOCUMENT_KEYS.some((key) => Object.hasOwn(body, key));
}

function readArtifact(body: JsonObject, method: string, route: string): Submission {
  const problems = problemsOf([{ schema: artifactSubmission, value: body, path: '' }]);
  if (problems.length > 0) throw requestInvalid(method, route, problems);
  const { artifact, file } = body as { readonly artifact: string; readonly file?: string };
  return { artifact, ...(file === undefined ? {} : { file }), ...chosenOptions(body) };
}

function readDocument(body: JsonObject, method: string, route: string): Submission {
  const { active, settings, ...document } = body;
  const beside = {
    ...(active === undefined ? {} : { active }),
    ...(settings === undefined ? {} : { settings }),
  };
  const problems = problemsOf([{ schema: options, value: beside, path: '' }]);
  if (problems.length === 0) return { document, ...chosenOptions(body) };
  throw requestInvalid(method, route, [
    ...problems,
    ...problemsOf([{ schema: topologySchema, value: document, path: '' }]),
  ]);
}

function chosenOptions({ active, settings }: JsonObject): Pick<Submission, 'active' | 'settings'> {
  return {
    ...(active === undefined ? {} : { active: active as boolean }),
    ...(settings === undefined ? {} : { settings: settings as Settings }),
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
