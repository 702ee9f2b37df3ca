// The file that says in which processes a topology runs: which one leads, which ones are its members, how many workers
// each has, and where they listen. Until hosts find each other it is written by hand, and every process is given the
// same one. Main thread.

import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { failure, reasonOf } from '../engine/errors.js';
import { MEMBERS_MAX, NAME_LENGTH_MAX, PROCESSES_BYTES_MAX, SECRET_LENGTH_MIN, WORKERS_MAX } from '../engine/limits.js';
import { isLoopback } from './loopback.js';

const name = Type.String({
  minLength: 1,
  maxLength: NAME_LENGTH_MAX,
  description: 'What the process is called, by `--name` and in messages',
});
const host = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'The IP address of its machine, on which it and its workers listen',
});
const workers = Type.Integer({ minimum: 1, maximum: WORKERS_MAX, description: 'How many workers it has' });

/** The schema of the file. */
export const processesSchema = Type.Object(
  {
    lead: Type.Object(
      {
        name,
        host,
        port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'Where its members find it' }),
        workers,
      },
      { additionalProperties: false, description: 'The process that supervises the topology: `millrace run`' },
    ),
    members: Type.Array(Type.Object({ name, host, workers }, { additionalProperties: false }), {
      minItems: 1,
      maxItems: MEMBERS_MAX,
      description: 'The others: `millrace member`',
    }),
    secretFile: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'A file with a secret that all of them know, beside this one; needed off loopback',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The processes of a topology. */
export type Processes = Static<typeof processesSchema> & { readonly secret: string };

const example = {
  lead: { name: 'a', host: '127.0.0.1', port: 7300, workers: 1 },
  members: [{ name: 'b', host: '127.0.0.1', workers: 1 }],
};

/**
 * Reads the file.
 *
 * @throws MILLRACE_PROCESSES_MISSING, MILLRACE_PROCESSES_INVALID
 */
export async function readProcesses(file: string): Promise<Processes> {
  const text = await readText(file, file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(file, `it is no JSON: ${reasonOf(error)}`);
  }
  if (!Value.Check(processesSchema, value)) {
    const [first] = Value.Errors(processesSchema, value);
    const path = (first?.instancePath ?? '').slice(1).replaceAll('/', '.');
    throw invalid(
      file,
      `${path === '' ? 'it' : `"${path}"`} ${first === undefined || first.keyword === 'boolean' ? 'is not known here' : first.message}`,
    );
  }
  const all = [value.lead, ...value.members];
  all.forEach((each, index) => {
    if (all.findIndex((other) => other.name === each.name) < index) {
      throw invalid(file, `"members.${index - 1}.name" is "${each.name}", which another process is called`);
    }
  });
  const sum = all.reduce((total, each) => total + each.workers, 0);
  if (sum > WORKERS_MAX) throw invalid(file, `it has ${sum} workers, above ${WORKERS_MAX}`);
  const open = all.find((each) => !isLoopback(each.host));
  if (open !== undefined && value.secretFile === undefined) {
    throw invalid(file, `"${open.host}" can be reached from elsewhere, so a "secretFile" is needed`);
  }
  const secret = value.secretFile === undefined ? '' : await readSecret(file, value.secretFile);
  return { ...value, secret };
}

async function readSecret(file: string, secretFile: string): Promise<string> {
  const secret = (await readText(file, resolve(dirname(file), secretFile))).trim();
  if (secret.length >= SECRET_LENGTH_MIN) return secret;
  throw invalid(file, `the secret in "${secretFile}" has fewer than ${SECRET_LENGTH_MIN} characters`);
}

async function readText(file: string, path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > PROCESSES_BYTES_MAX) throw new Error(`it has ${size} bytes, above ${PROCESSES_BYTES_MAX}`);
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw failure('MILLRACE_PROCESSES_MISSING', { file: path });
    throw invalid(file, `"${path}" cannot be read: ${reasonOf(error)}`);
  }
}

function invalid(file: string, reason: string): Error {
  return failure('MILLRACE_PROCESSES_INVALID', { file, reason, example: JSON.stringify(example) });
}
