// What goes wrong while a topology runs: what user code did with its calls and emits, workers that died or did not
// start, frames that were refused. Part of the catalogue in errors.ts, which says how an entry is written. Pure data,
// any thread.

import type { Entry } from './entry.js';

export const engineErrors = {
  MILLRACE_SPOUT_NOT_ITERABLE: {
    status: 500,
    message: 'the function of spout "{component}" returned {actual}, which cannot be iterated',
    hint: 'return an array, a generator or an async generator of lists of values, or write it as `function*` / `async function*`',
  },
  MILLRACE_SPOUT_ITEM: {
    status: 500,
    message: 'spout "{component}" was given {actual} to emit, which is not a list of values',
    hint: 'yield a list, one value a field: `yield [word]`',
  },
  MILLRACE_SPOUT_ITERATION: {
    status: 500,
    message: 'the iteration of spout "{component}" failed: {reason}',
    hint: 'an iterator that threw is at its end, so the topology was ended; catch in it what it can go on after',
  },
  MILLRACE_EMIT_UNKNOWN_STREAM: {
    status: 500,
    message: 'component "{component}" emitted on stream "{stream}", which it does not declare',
    hint: 'declared streams: {streams}; add it to the outputs of the component',
  },
  MILLRACE_EMIT_ARITY: {
    status: 500,
    message:
      'component "{component}" emitted {actual} value(s) on stream "{stream}", which has {expected} field(s): {fields}',
    hint: 'emit one value a field, in the order in which the fields are declared',
  },
  MILLRACE_EMIT_VALUE: {
    status: 500,
    message: 'component "{component}" emitted a value that cannot travel on stream "{stream}", at {path}: {what}',
    hint: 'values are plain data: null, booleans, numbers, bigints, strings, dates, binary data, and arrays and objects of them; a class of your own can be registered by `registerExtension`',
  },
  MILLRACE_EMIT_TOO_LARGE: {
    status: 500,
    message:
      'component "{component}" emitted a tuple of about {bytes} bytes on stream "{stream}"; the limit is {bytesMax}',
    hint: 'send a reference (a path, a key) and let the receiver fetch the data',
  },
  MILLRACE_EMIT_LATE: {
    status: 500,
    message: 'component "{component}" emitted after the call that was given this emit had ended',
    hint: 'await what the call started before it returns, so that the tuple stays open until its children are out',
  },
  MILLRACE_EMIT_NEEDS_TASK: {
    status: 500,
    message: 'component "{component}" emitted on stream "{stream}", which is direct, without naming a task',
    hint: 'call emit.direct(task, values), or declare the stream without `direct`',
  },
  MILLRACE_EMIT_NOT_DIRECT: {
    status: 500,
    message: 'component "{component}" emitted to one task on stream "{stream}", which is not direct',
    hint: 'declare the fields of that stream as direct in its outputs, or emit without naming a task',
  },
  MILLRACE_EMIT_DIRECT_TASK: {
    status: 500,
    message: 'component "{component}" emitted to task {task}, which does not take its direct stream "{stream}"',
    hint: 'tasks that take it: {known}; context.tasksOf(component) tells those of a component',
  },
  MILLRACE_EMIT_GROUPING: {
    status: 500,
    message: 'the custom grouping {name}, by which "{subscriber}" takes "{component}", {what}',
    hint: 'choose whole numbers from 0 to {last}, each at most once, or nothing',
  },
  MILLRACE_EMIT_FEEDBACK_FULL: {
    status: 500,
    message:
      'component "{component}" emitted a tuple that is not tracked on stream "{stream}", whose feedback to "{target}" is full',
    hint: 'track it, so that it is replayed; or let the overflow of the feedback be "drop", and it is dropped and counted',
  },
  MILLRACE_EMIT_TOO_MANY: {
    status: 500,
    message: 'one call of component "{component}" emitted more than {emitsMax} tuples while its targets were full',
    hint: 'make the call asynchronous and `await emit.ready()` every few hundred emits',
  },
  MILLRACE_EMIT_TOO_MUCH: {
    status: 500,
    message: 'one call of component "{component}" emitted more than {bytesMax} bytes while its targets were full',
    hint: 'make the call asynchronous and `await emit.ready()` every few megabytes',
  },
  MILLRACE_EMIT_ID_IN_BOLT: {
    status: 500,
    message: 'bolt "{component}" emitted with an id; only a spout opens trees',
    hint: 'leave the id out: what a bolt emits is anchored to its input by itself',
  },
  MILLRACE_EMIT_ANCHOR: {
    status: 500,
    message: 'component "{component}" anchored a tuple to one that is already acked or failed',
    hint: 'anchor before you ack, or emit with `anchor: null`',
  },
  MILLRACE_EMIT_TREES: {
    status: 500,
    message: 'component "{component}" anchored a tuple to {trees} trees; the limit is {treesMax}',
    hint: 'gather fewer tuples, or emit more than one for them',
  },
  MILLRACE_EXTENSION_NUMBER: {
    status: 400,
    message: 'the number of class "{name}" {what}',
    hint: 'give each class that travels a whole number of its own, 1 to {max}, wherever it is registered',
  },
  MILLRACE_EXTENSION_CLASS: {
    status: 400,
    message: 'registerExtension was given {actual}, which is no class of your own',
    hint: 'give the class whose instances are to travel',
  },
  MILLRACE_TREE_UNDELIVERED: {
    status: 500,
    message: 'a tuple of the tree could not be delivered',
    hint: 'see the errors of the topology; the spout decides whether to replay',
  },
  MILLRACE_TREE_FEEDBACK_FULL: {
    status: 500,
    message: 'a tuple of the tree found the feedback of "{component}" to "{target}", on stream "{stream}", full',
    hint: 'the cycle makes more tuples than it ends: the spout decides whether to replay; lower "maxSpoutPending", or have the cycle end them sooner',
  },
  MILLRACE_TREE_LOST: {
    status: 500,
    message: 'a worker died that may have held tuples of the tree',
    hint: 'the worker is replaced; the spout decides whether to replay',
  },
  MILLRACE_TREE_TIMEOUT: {
    status: 500,
    message: 'the tree made no progress for {timeoutMs} ms',
    hint: 'look for a bolt that is slow or holds tuples, or raise "messageTimeout"',
  },
  MILLRACE_TASK_CALL_TIMEOUT: {
    status: 500,
    message: '{call} of component "{component}" (task {task}) was not done within {timeoutMs} ms',
    hint: 'its tuple failed; end what it waits for by `emit.signal`, or raise "callTimeout" of the bolt',
  },
  MILLRACE_TASK_CLOSED: {
    status: 500,
    message: 'component "{component}" closes and does not wait for this call any longer',
    hint: 'this is why `emit.signal` was aborted: end what the call waits for',
  },
  MILLRACE_TASK_UNKNOWN_COMPONENT: {
    status: 500,
    message: 'component "{component}" asked for the tasks of "{other}", which is no component of topology "{topology}"',
    hint: 'give the id of a component as it stands in the definition',
  },
  MILLRACE_TASK_MANUAL_ACK: {
    status: 500,
    message: 'bolt "{component}" called {call}() but does not acknowledge by hand',
    hint: 'set `manualAck: true` in the options of the bolt, or let its calls return and throw',
  },
  MILLRACE_TASK_FAILED_TUPLE: {
    status: 500,
    message: 'bolt "{component}" failed a tuple: {reason}',
    hint: 'the spout is told by fail(id) and decides whether to replay',
  },
  MILLRACE_TASK_THREW: {
    status: 500,
    message: '{call} of component "{component}" (task {task}) threw: {reason}',
    hint: 'see the stack; the tuple failed and its spout was told',
  },
  MILLRACE_TASK_CHECKPOINT_TOO_LARGE: {
    status: 500,
    message:
      'spout "{component}" gave a checkpoint of {bytes} bytes for partition "{partition}"; the limit is {bytesMax}',
    hint: 'keep an offset in it, not data',
  },
  MILLRACE_METRICS_NAME: {
    status: 500,
    message: 'component "{component}" asked for a metric of the name {actual}',
    hint: 'use at most {lengthMax} letters, digits, "_", "-" and ".", and begin with a letter',
  },
  MILLRACE_METRICS_KIND: {
    status: 500,
    message: 'component "{component}" asked for the {kind} "{name}", which is a {other} already',
    hint: 'give it another name',
  },
  MILLRACE_METRICS_TOO_MANY: {
    status: 500,
    message:
      'component "{component}" (task {task}) has {metricsMax} metrics of its own, and asked for another one, "{name}"',
    hint: 'ask for metrics once, in `open` or `prepare`, and keep keys of the data out of their names',
  },
  MILLRACE_METRICS_VALUE: {
    status: 500,
    message: 'the {kind} "{name}" of component "{component}" was given {actual}',
    hint: 'give it a finite number; a counter and a histogram take none below zero',
  },
  MILLRACE_WORKER_DIED: {
    status: 500,
    message: 'worker {worker} of topology "{topology}" died{where}: {reason}',
    hint: 'it is replaced; trees that were open are replayed',
  },
  MILLRACE_WORKER_STALLED: {
    status: 500,
    message: 'worker {worker} of topology "{topology}" did not let go of its thread for {seconds} s{where}',
    hint: 'the stack says where it stood; have long work await something in between, or raise "stallTimeout" in the config of the topology',
  },
  MILLRACE_WORKER_HEAP: {
    status: 500,
    message: 'worker {worker} of topology "{topology}" used up its heap of {heapMb} MB{where}',
    hint: 'it is replaced; keep less in memory, or raise "workerHeapMb" in the config of the topology',
  },
  MILLRACE_WORKER_BUFFERS: {
    status: 500,
    message: 'worker {worker} of topology "{topology}" held {usedMb} MB in buffers{where}, and may have {buffersMb}',
    hint: 'it is replaced; keep fewer buffers, or raise "workerBuffersMb" in the config of the topology',
  },
  MILLRACE_WORKER_FAILING: {
    status: 500,
    message: 'topology "{topology}" lost {deaths} workers within {seconds} s; the last one: {reason}',
    hint: 'the topology was ended, because replacing workers does not help',
  },
  MILLRACE_WORKER_DEFINITION: {
    status: 500,
    message: 'worker {worker} read another definition of topology "{topology}" than the one that was submitted',
    hint: 'the module must define the same topology each time it is imported: no clock, no randomness, no environment',
  },
  MILLRACE_WORKER_START: {
    status: 500,
    message: '{call} of component "{component}" failed: {reason}',
    hint: 'the topology was ended; mend what the message names and start it again',
  },
  MILLRACE_WORKER_MODULE: {
    status: 400,
    message: 'the module of topology "{topology}" failed to load in a worker: {reason}',
    hint: 'it loaded once before; look for code that depends on the thread that it runs in',
  },
  MILLRACE_WORKER_IDLE: {
    status: 400,
    message: 'topology "{topology}" has no task for {idle}',
    hint: 'raise the parallelism of a component, set "placement" to "spread", or ask for fewer workers',
  },
  MILLRACE_RUN_KILLED: {
    status: 409,
    message: 'topology "{topology}" was ended before all of its tasks were prepared',
    hint: 'nothing was emitted; start it again',
  },
  MILLRACE_INGEST_SPOUT: {
    status: 404,
    message: 'topology "{topology}" has no spout "{spout}" that takes records',
    hint: 'spouts of type "ingest" do; in this topology: {known}',
  },
  MILLRACE_INGEST_RECORD: {
    status: 400,
    message: 'the record for spout "{spout}" {what}',
    hint: 'give one value a field, by name or as a list in this order: {fields}',
  },
  MILLRACE_INGEST_INACTIVE: {
    status: 409,
    message: 'spout "{spout}" takes no records, because topology "{topology}" is not active',
    hint: 'activate the topology and send the record again; it was not emitted',
  },
  MILLRACE_INGEST_FULL: {
    status: 503,
    message: 'spout "{spout}" has {pending} records ({bytes} bytes) that are not answered yet, and takes no more now',
    hint: 'send it again in a moment, and wait for answers before sending more; the record was not emitted',
  },
  MILLRACE_INGEST_FAILED: {
    status: 504,
    message: 'the tuple tree of a record for spout "{spout}" failed{reason}',
    hint: 'it is not replayed; send the record again if processing it twice does no harm',
  },
  MILLRACE_INGEST_TIMEOUT: {
    status: 504,
    message: 'the tuple tree of a record for spout "{spout}" was not done within the message timeout',
    hint: 'parts of it may still be processed; look for a bolt that is slow, or raise "messageTimeout"',
  },
  MILLRACE_INGEST_LOST: {
    status: 504,
    message: 'a worker of topology "{topology}" died while it may have held a record for spout "{spout}"',
    hint: 'it may have been processed or not; the worker is replaced, so send the record again if twice does no harm',
  },
  MILLRACE_INGEST_ENDED: {
    status: 504,
    message: 'topology "{topology}" ended before a record for spout "{spout}" was done',
    hint: 'it may have been processed or not; start the topology again',
  },
  MILLRACE_FRAME_INVALID: {
    status: 500,
    message: 'a frame was refused: {reason}',
    hint: 'both ends must run the same protocol version; the link is made anew and open trees fail',
  },
  MILLRACE_LINK_LOST: {
    status: 500,
    message: 'the link between workers {worker} and {other} of topology "{topology}" was lost: {reason}',
    hint: 'it is made anew; trees that were open are failed, for their spouts to replay',
  },
  MILLRACE_LINK_VERSION: {
    status: 500,
    message: 'the other end speaks version {other} of the link protocol, this one version {own}',
    hint: 'run the same version of Millrace in every process',
  },
  MILLRACE_PROCESSES_LISTEN: {
    status: 500,
    message: 'the lead cannot listen on "{address}" for its members: {reason}',
    hint: 'another process may have that port: end it, or give the lead another port in the file of processes',
  },
  MILLRACE_MEMBER_UNKNOWN: {
    status: 404,
    message: 'the lead knows no member "{member}"',
    hint: 'give every process the same file of processes; members there: {known}',
  },
  MILLRACE_MEMBER_RUN: {
    status: 404,
    message: 'member "{member}" asks for run "{run}", which is not led here',
    hint: 'it is not there yet, or no longer; a host that is to be a member tries again by itself',
  },
  MILLRACE_MEMBER_TAKEN: {
    status: 409,
    message: 'member "{member}" is there already',
    hint: 'start each member once; one that was killed is missed after a moment',
  },
  MILLRACE_MEMBER_FILE: {
    status: 409,
    message: 'member "{member}" has another topology file than the lead',
    hint: 'start all processes with the same file, unchanged, in the same directory',
  },
  MILLRACE_MEMBER_SECRET: {
    status: 403,
    message: 'the process at "{address}" did not prove that it is the lead',
    hint: 'all processes need the same secret; look also whether something else listens there',
  },
  MILLRACE_MEMBER_LOST: {
    status: 500,
    message: 'member "{member}" was lost and was not back within {seconds} s',
    hint: 'look why it ended; start the topology and its members again',
  },
  MILLRACE_MEMBER_LEAD_LOST: {
    status: 500,
    message: 'the lead at "{address}" was lost and was not back within {seconds} s',
    hint: 'the workers of this member have ended; start it again beside a lead',
  },
  MILLRACE_LINK_LISTEN: {
    status: 500,
    message: 'a worker cannot listen on "{host}" for its links: {reason}',
    hint: 'give an address of this machine, and look how many files and ports this user may open',
  },
} as const satisfies Record<string, Entry>;
