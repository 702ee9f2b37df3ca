// Why a topology that runs is not spread anew. Part of the catalogue in errors.ts, which says how an entry is written.
// Pure data, any thread.

import type { Entry } from './entry.js';

export const rebalanceErrors = {
  MILLRACE_REBALANCE_WORKERS: {
    status: 400,
    message: 'topology "{topology}" cannot be rebalanced to {workers} worker(s)',
    hint: 'ask for a whole number from 1 to {workersMax}',
  },
  MILLRACE_REBALANCE_APART: {
    status: 400,
    message: 'topology "{topology}" cannot be rebalanced to {workers} worker(s): some components are to be kept apart',
    hint: 'ask for at least {workersMin} workers: no two of these components may share one',
  },
  MILLRACE_REBALANCE_PLACES: {
    status: 409,
    message: 'topology "{topology}" cannot be spread over {workers} workers: its processes have {places}',
    hint: 'ask for less workers, or end it and start it with a plan file whose processes have more',
  },
  MILLRACE_REBALANCE_COMPONENT: {
    status: 404,
    message: 'topology "{topology}" has no component "{component}" to rebalance',
    hint: 'its components are {known}',
  },
  MILLRACE_REBALANCE_PARALLELISM: {
    status: 400,
    message: 'component "{component}" cannot have a parallelism of {parallelism}',
    hint: 'ask for a whole number from 1 to {parallelismMax}; a bolt with keys can have as many tasks as the topology has key groups',
  },
  MILLRACE_REBALANCE_TASKS: {
    status: 400,
    message: 'topology "{topology}" would have {tasks} tasks',
    hint: 'ask for less parallelism: the limit is {tasksMax} tasks',
  },
  MILLRACE_REBALANCE_SLOTS: {
    status: 409,
    message: 'topology "{topology}" cannot be spread over {workers} workers: its host has {slots} slot(s) for it',
    hint: 'ask for less workers, end another topology, or start the host with more slots',
  },
  MILLRACE_REBALANCE_STATE: {
    status: 409,
    message: 'topology "{topology}" is {state} and cannot be rebalanced now',
    hint: 'one that starts can be rebalanced when it is active; one that drains or has ended has no tasks to move',
  },
  MILLRACE_REBALANCE_BUSY: {
    status: 409,
    message: 'topology "{topology}" is being rebalanced already',
    hint: 'one change is carried out after the other: ask again when this one is done',
  },
  MILLRACE_REBALANCE_WORKER_DIED: {
    status: 503,
    message: 'the rebalance was called off, because worker {worker} died before every worker was ready: {reason}',
    hint: 'everything is placed as it was before; ask again',
  },
  MILLRACE_REBALANCE_TIMEOUT: {
    status: 504,
    message:
      'the rebalance was called off, because {call} of a new task of component "{component}" took longer than {seconds} s',
    hint: 'everything is placed as it was before; see what the call waits for, and ask again',
  },
  MILLRACE_REBALANCE_ENDED: {
    status: 409,
    message: 'topology "{topology}" ended before it was rebalanced',
    hint: 'nothing is left to be moved',
  },
} as const satisfies Record<string, Entry>;
