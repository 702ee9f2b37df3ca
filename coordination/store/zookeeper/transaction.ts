// A transaction over the wire. Built here and not by the package, which takes version 0 for "any", and so leaves a
// fence on a new node open. Pure, the thread of the session.
//
//   request   (header ─ record)… ─ end          reply   (header ─ result)… ─ end      each header names an operation
//   failed    every result is an error: 0 before the operation that failed, its number at it, and -2 behind it

import type { MillraceError } from '../../../engine/errors.js';
import type { GrantedRule } from '../access.js';
import type { Operation, OperationResult } from '../contract.js';
import { parentOf } from '../node-path.js';
import { naming } from '../operations.js';
import { withOperation } from '../store-errors.js';
import { operations, protocolRecord, together, Unreadable, type Reader, type WireRecord } from './codec.js';
import { isError, refusal } from './errors.js';
import { statOf, type Request, type Requests } from './requests.js';

/** An operation whose access rules are made out. */
export type Granted<T extends Operation = Operation> = T extends { readonly type: 'create' }
  ? Omit<T, 'access'> & { readonly access: readonly GrantedRule[] }
  : T;

/** Who made what of an operation that a session may not do. */
const doing = { check: 'read', create: 'create', set: 'write', delete: 'delete' } as const;

/** The request of a transaction; resolves with an error when it failed, so that it can name the operation. */
export function transaction(
  requests: Requests,
  steps: readonly Granted[],
): Request<readonly OperationResult[] | MillraceError> {
  const records: WireRecord[] = [];
  steps.forEach((step, index) => {
    naming(index, () => records.push(header(operations[step.type]), recordOf(requests, step)));
  });
  return {
    what: `a transaction of ${steps.length} operations`,
    doing: 'change',
    path: steps[0]?.path ?? '/',
    missing: steps[0]?.path ?? '/',
    version: null,
    operation: operations.multi,
    writes: true,
    payload: together([...records, header(-1, true)]),
    read: (reply) => resultsOf(requests, steps, reply),
  };
}

function header(operation: number, done = false): WireRecord {
  return protocolRecord('MultiHeader', operation, done, -1);
}

function recordOf(requests: Requests, step: Granted): WireRecord {
  switch (step.type) {
    case 'create':
      return requests.createRecord(step.path, step.data, step.mode ?? 'persistent', step.access);
    case 'set':
      return requests.setRecord(step.path, step.data, step.version);
    case 'delete':
      return requests.deleteRecord(step.path, step.version);
    case 'check':
      return requests.checkRecord(step.path, step.version);
  }
}

function resultsOf(
  requests: Requests,
  steps: readonly Granted[],
  reply: Reader,
): readonly OperationResult[] | MillraceError {
  const results: OperationResult[] = [];
  let failed: MillraceError | null = null;
  for (let index = 0; ; index++) {
    const head = reply.protocol('MultiHeader');
    if (head['done'] === true) {
      if (index !== steps.length) throw new Unreadable('a transaction with another number of results');
      if (failed === null && results.length !== steps.length)
        throw new Unreadable('a failed transaction without its error');
      return failed ?? results;
    }
    const step = steps[index];
    if (step === undefined) throw new Unreadable('a transaction with more results than operations');
    if (head['type'] === operations.error) {
      const number = Number(reply.protocol('ErrorResponse')['err']);
      if (failed === null && number !== 0 && !isError(number, 'RUNTIME_INCONSISTENCY'))
        failed = refused(number, step, index);
    } else {
      results.push(resultOf(requests, step, reply));
    }
  }
}

function resultOf(requests: Requests, step: Granted, reply: Reader): OperationResult {
  switch (step.type) {
    case 'create':
      return { type: 'create', path: requests.pathOf(reply.protocol('CreateResponse')) };
    case 'set':
      return { type: 'set', stat: statOf(reply.protocol('SetDataResponse')['stat']) };
    default:
      return { type: step.type };
  }
}

function refused(number: number, step: Granted, index: number): MillraceError {
  const error = refusal(number, {
    what: `${step.type} "${step.path}"`,
    doing: doing[step.type],
    path: step.path,
    missing: step.type === 'create' ? parentOf(step.path) : step.path,
    version: 'version' in step ? step.version : null,
  });
  return withOperation(error, index);
}
