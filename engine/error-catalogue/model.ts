// What can be wrong with a topology as it was written: its definition, its settings, its document. These are problems
// of MILLRACE_TOPOLOGY_INVALID as a rule, reported all at once with their paths. Part of the catalogue in errors.ts,
// which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const modelErrors = {
  MILLRACE_TOPOLOGY_INVALID: {
    status: 400,
    message: 'topology "{topology}" has {count} problem(s):{list}',
    hint: 'every problem is listed with its path; nothing was started',
  },
  MILLRACE_TOPOLOGY_MORE_PROBLEMS: {
    status: 400,
    message: '{count} further problem(s) are not listed',
    hint: 'mend the listed ones first',
  },
  MILLRACE_TOPOLOGY_NAME: {
    status: 400,
    message: '{what} "{name}" is not a valid name',
    hint: 'a name begins with a letter or a digit and goes on with letters, digits, ".", "_" and "-", at most {lengthMax} in all',
  },
  MILLRACE_TOPOLOGY_VERSION: {
    status: 400,
    message: 'the version must be text of 1 to {lengthMax} characters, not {actual}',
    hint: 'write it in quotes, such as "1.4.0", or leave it out',
  },
  MILLRACE_TOPOLOGY_FIELD_NAME: {
    status: 400,
    message: '{name} is not a valid field name, in stream "{stream}" of "{component}"',
    hint: 'a field name is text of 1 to {lengthMax} characters without control characters, and does not begin with "__"',
  },
  MILLRACE_TOPOLOGY_DUPLICATE_COMPONENT: {
    status: 400,
    message: 'two components have the id "{component}"',
    hint: 'spouts and bolts share their ids: give each one of its own',
  },
  MILLRACE_TOPOLOGY_DUPLICATE_FIELD: {
    status: 400,
    message: 'stream "{stream}" of "{component}" has the field "{field}" twice',
    hint: 'give each value a name of its own',
  },
  MILLRACE_TOPOLOGY_EMPTY_STREAM: {
    status: 400,
    message: 'stream "{stream}" of "{component}" has no fields',
    hint: 'name its fields, or leave the stream out: a stream that is not declared emits nothing',
  },
  MILLRACE_TOPOLOGY_OUTPUTS: {
    status: 400,
    message: 'the outputs of "{component}" are not field names: {what}',
    hint: "write a list such as ['word'] for the default stream, or an object with such a list for each stream",
  },
  MILLRACE_TOPOLOGY_NO_SPOUT: {
    status: 400,
    message: 'topology "{topology}" has no spout',
    hint: 'a spout brings the tuples in: define at least one',
  },
  MILLRACE_TOPOLOGY_SPOUT_WITH_INPUTS: {
    status: 400,
    message: 'spout "{component}" has inputs',
    hint: 'only bolts take tuples: make it a bolt, or remove its inputs',
  },
  MILLRACE_TOPOLOGY_BOLT_WITHOUT_INPUTS: {
    status: 400,
    message: 'bolt "{component}" has no inputs',
    hint: 'subscribe it to a stream (.shuffle(source), or "inputs" in a document), or remove it',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_COMPONENT: {
    status: 400,
    message: 'bolt "{component}" takes tuples of "{source}", which does not exist',
    hint: 'known components: {known}',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_STREAM: {
    status: 400,
    message: 'bolt "{component}" takes stream "{stream}" of "{source}", which does not declare it',
    hint: 'declared streams of "{source}": {known}; a component states in its outputs what it emits',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_FIELD: {
    status: 400,
    message: 'bolt "{component}" groups by field "{field}", which stream "{stream}" of "{source}" does not have',
    hint: 'its fields: {known}',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_GROUPING: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by the grouping {grouping}, which does not exist',
    hint: 'known groupings: {known}',
  },
  MILLRACE_TOPOLOGY_GROUPING_WITHOUT_FIELDS: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by the grouping {grouping}, but names no field',
    hint: 'name the fields whose values are the key; the stream has: {known}',
  },
  MILLRACE_TOPOLOGY_GROUPING_WITH_FIELDS: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by the grouping {grouping}, which has no fields, but names some',
    hint: 'use the grouping "fields" or "partial-key", or remove the field names',
  },
  MILLRACE_TOPOLOGY_GROUPING_OPTION: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by the grouping {grouping}, to which "{option}" means nothing',
    hint: 'remove it; it belongs to the grouping {known}',
  },
  MILLRACE_TOPOLOGY_CUSTOM: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by a custom grouping that is {actual}',
    hint: 'give a function (values, targets) => index, or a class with such a method choose; in a document, the name of one that the artifact exports',
  },
  MILLRACE_TOPOLOGY_DIRECT: {
    status: 400,
    message: 'bolt "{component}" takes stream "{stream}" {what}',
    hint: '{expected}',
  },
  MILLRACE_TOPOLOGY_REPEATED_KEY: {
    status: 400,
    message: 'bolt "{component}" groups "{source}" by the field "{field}" twice',
    hint: 'name each field of the key once',
  },
  MILLRACE_TOPOLOGY_DUPLICATE_INPUT: {
    status: 400,
    message: 'bolt "{component}" takes stream "{stream}" of "{source}" twice',
    hint: 'it would get each tuple twice: keep one of the two subscriptions',
  },
  MILLRACE_TOPOLOGY_CYCLE: {
    status: 400,
    message: 'the components form a cycle: {cycle}',
    hint: 'each would wait for the next when they are full: name the subscription that leads back as feedback (source.feedback(), or "feedback": true in a document), or remove it',
  },
  MILLRACE_TOPOLOGY_FEEDBACK: {
    status: 400,
    message: 'bolt "{component}" cannot take "{source}" as feedback: {what}',
    hint: '{expected}',
  },
  MILLRACE_TOPOLOGY_NUMBER: {
    status: 400,
    message: '{what} must be a whole number from {min} to {max}, not {actual}',
    hint: 'choose a number within these bounds, or leave it out for the default',
  },
  MILLRACE_TOPOLOGY_DURATION: {
    status: 400,
    message: '{what} must be a duration from 1 ms to {maxMs} ms{orOff}, not {actual}',
    hint: 'write whole milliseconds as a number, or text such as "500ms", "30s", "5m" or "1h"',
  },
  MILLRACE_TOPOLOGY_FLAG: {
    status: 400,
    message: '{what} must be true or false, not {actual}',
    hint: 'write it without quotes',
  },
  MILLRACE_TOPOLOGY_PLACEMENT: {
    status: 400,
    message: 'placement must be one of: {known}; not {actual}',
    hint: 'write "together" to keep chains in one worker, "spread" to give each worker as many tasks as the others',
  },
  MILLRACE_TOPOLOGY_LABELS: {
    status: 400,
    message: '{what} must be a list of at most {labelsMax} labels, not {actual}',
    hint: 'a label begins with a letter or digit; letters, digits, ".", "_" and "-" follow, {lengthMax} at most in all',
  },
  MILLRACE_TOPOLOGY_APART: {
    status: 400,
    message: '"{component}" cannot be kept apart from {actual}',
    hint: 'name another component: {known}',
  },
  MILLRACE_TOPOLOGY_APART_WORKERS: {
    status: 400,
    message: 'topology "{topology}" has components to be kept apart, for which {workers} worker(s) are too few',
    hint: 'give it at least {workersMin} workers: no two of these components may share one',
  },
  MILLRACE_TOPOLOGY_ORDERED_MANUAL: {
    status: 400,
    message: 'bolt "{component}" has both ordered and manualAck',
    hint: 'leave one of them out: what an ordered bolt emits waits for its turn, and its tuples are acked after that',
  },
  MILLRACE_TOPOLOGY_KEY_GROUPS: {
    status: 400,
    message: 'bolt "{component}" has {parallelism} tasks, but keys fall into only {keyGroups} groups',
    hint: 'raise keyGroups in the config of the topology, or lower the parallelism: further tasks would get nothing',
  },
  MILLRACE_TOPOLOGY_TOO_LARGE: {
    status: 400,
    message: 'the topology has {count} {what}; the limit is {max}',
    hint: 'split it into several topologies, or have the limit raised',
  },
  MILLRACE_TOPOLOGY_COMPONENT: {
    status: 400,
    message: '"{component}" cannot be used as a {kind}: {what}',
    hint: '{expected}',
  },
  MILLRACE_TOPOLOGY_UNKNOWN_OPTION: {
    status: 400,
    message: '{owner} has no option "{option}"',
    hint: 'known options: {known}',
  },
  MILLRACE_TOPOLOGY_SOURCE: {
    status: 400,
    message:
      'bolt "{component}" takes tuples of something that is not a component or stream of this topology: {actual}',
    hint: 'give what t.spout or t.bolt of the same topology returned, or its .stream(name)',
  },
  MILLRACE_TOPOLOGY_DEFINITION: {
    status: 400,
    message: 'the definition of topology "{topology}" {what}',
    hint: 'topology(name, define, options) takes a synchronous function that defines all components before it returns',
  },
  MILLRACE_CONFIG_UNKNOWN_KEY: {
    status: 400,
    message: '{owner} has no setting "{key}"',
    hint: 'known settings: {known}',
  },
  MILLRACE_CONFIG_MISSING_KEY: {
    status: 400,
    message: '{owner} needs the setting "{key}"',
    hint: 'add it: {expected}',
  },
  MILLRACE_CONFIG_VALUE: {
    status: 400,
    message: 'setting "{key}" of {owner} must be {expected}, not {actual}',
    hint: 'change the value: {description}',
  },
  MILLRACE_DOCUMENT_SYNTAX: {
    status: 400,
    message: '{file}:{line}:{column}: {what}{frame}',
    hint: 'the file is not valid JSON: mend it at that place',
  },
  MILLRACE_DOCUMENT_TOO_LARGE: {
    status: 413,
    message: '{file} has {bytes} bytes; a topology document may have {bytesMax}',
    hint: 'keep data in files of its own and name them in the settings of the components',
  },
  MILLRACE_DOCUMENT_VALUE: {
    status: 400,
    message: '{what} must be {expected}, not {actual}',
    hint: 'change the value: {description}',
  },
  MILLRACE_DOCUMENT_UNKNOWN_KEY: {
    status: 400,
    message: '{what} has no key "{key}"',
    hint: 'known keys: {known}',
  },
  MILLRACE_DOCUMENT_MISSING_KEY: {
    status: 400,
    message: '{what} needs the key "{key}"',
    hint: 'add it: {expected}',
  },
  MILLRACE_DOCUMENT_UNKNOWN_TYPE: {
    status: 400,
    message: '{kind} "{component}" has the type "{type}", which does not exist',
    hint: 'known types of {kind}s: {known}',
  },
  MILLRACE_DOCUMENT_UNKNOWN_CUSTOM: {
    status: 400,
    message: 'bolt "{component}" takes "{source}" by the custom grouping {grouping}, which does not exist',
    hint: 'groupings that the artifact exports: {known}',
  },
  MILLRACE_DOCUMENT_TYPE_KIND: {
    status: 400,
    message: '"{component}" stands among the {kind}s, but its type "{type}" is a {actual}',
    hint: 'move it to the {actual}s, or choose another type; types of {kind}s: {known}',
  },
  MILLRACE_DOCUMENT_ARTIFACT: {
    status: 400,
    message: 'the artifact "{artifact}" cannot be used: this document was read without one',
    hint: 'submit it to a host that has the artifact; or remove the key and use the built-in types, or define the topology in a module',
  },
} as const satisfies Record<string, Entry>;
