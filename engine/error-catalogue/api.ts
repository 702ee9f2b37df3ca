// What can go wrong with a request to a host, with the host that answers it, and with a client that asks. Part of the
// catalogue in errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const apiErrors = {
  MILLRACE_METRICS_NONE: {
    status: 409,
    message: 'topology "{topology}" is {state}, and nothing is measured of it on this host',
    hint: 'metrics begin when its workers are started; what an ended topology came to stands in its description',
  },
  MILLRACE_HOST_UNREACHABLE: {
    status: 503,
    message: 'host "{host}" at {url}, which runs topology "{topology}", does not answer: {reason}',
    hint: 'it may have been carried out; when that host is gone, the topology moves within its session timeout: look then',
  },
  MILLRACE_REQUEST_INVALID: {
    status: 400,
    message: '{method} {route} has {count} problem(s):{list}',
    hint: 'every problem is listed with its path; nothing was changed',
  },
  MILLRACE_REQUEST_UNKNOWN_KEY: {
    status: 400,
    message: '{what} has no key "{key}"',
    hint: 'known keys: {known}',
  },
  MILLRACE_REQUEST_MISSING_KEY: {
    status: 400,
    message: '{what} needs the key "{key}"',
    hint: 'add it: {expected}',
  },
  MILLRACE_REQUEST_VALUE: {
    status: 400,
    message: '{what} must be {expected}, not {actual}',
    hint: 'change the value: {description}',
  },
  MILLRACE_REQUEST_MALFORMED: {
    status: 400,
    message: 'the request cannot be understood: {reason}',
    hint: '{advice}',
  },
  MILLRACE_REQUEST_HOST: {
    status: 403,
    message: 'the Host header is {actual}; this host answers to "{expected}" only',
    hint: 'use its loopback address with its own port: other names could be those of a web page that wants to drive it',
  },
  MILLRACE_REQUEST_ORIGIN: {
    status: 403,
    message: 'the request comes from a page of another origin: {actual}',
    hint: 'no page but those of this host may call it; use the command line, curl or a program',
  },
  MILLRACE_REQUEST_ROUTE: {
    status: 404,
    message: 'there is nothing at "{path}"',
    hint: 'the interface begins at /api/v1; /docs describes it',
  },
  MILLRACE_REQUEST_METHOD: {
    status: 405,
    message: '"{path}" does not take {method}',
    hint: 'it takes {allowed}',
  },
  MILLRACE_REQUEST_TIMEOUT: {
    status: 408,
    message: 'the request was not here in time: its headers have {headersMs} ms, all of it has {requestMs} ms',
    hint: 'send it in one go; nothing was changed',
  },
  MILLRACE_REQUEST_TOO_LARGE: {
    status: 413,
    message: 'the body is larger than the {bytesMax} bytes that it may have',
    hint: 'keep data in files of its own and name them in the settings of the components',
  },
  MILLRACE_REQUEST_MEDIA_TYPE: {
    status: 415,
    message: 'the body is {actual}; "{path}" takes {expected}',
    hint: 'send the header "content-type: {expected}", also where there is no body, and no content-encoding',
  },
  MILLRACE_REQUEST_HEADERS: {
    status: 431,
    message: 'the header lines take more than the {bytesMax} bytes that they may have',
    hint: 'leave out what this host does not need, such as cookies of other services',
  },
  MILLRACE_API_INTERNAL: {
    status: 500,
    message: '{method} {route} failed by a fault of this host',
    hint: 'what happened is in the log of the host; please report it',
  },
  MILLRACE_API_CLOSING: {
    status: 503,
    message: 'the host is closing and takes no more requests',
    hint: 'ask again when it is back',
  },
  MILLRACE_API_LISTEN_ADDRESS: {
    status: 400,
    message: 'the host cannot listen on "{address}": {reason}',
    hint: 'there are no roles yet, so it listens where only this machine can reach it: 127.0.0.1, ::1 or localhost, with a port from 0 to 65535',
  },
  MILLRACE_API_PORT_IN_USE: {
    status: 500,
    message: 'the host cannot listen on "{address}": port {port} is in use',
    hint: 'end what listens there, or choose another port; port 0 takes a free one and prints it',
  },
  MILLRACE_API_LISTEN_FAILED: {
    status: 500,
    message: 'the host cannot listen on "{address}": {reason}',
    hint: 'choose a port above 1023 and an address that this machine has',
  },
  MILLRACE_CLIENT_ADDRESS: {
    status: 400,
    message: '"{url}" is not the address of a host: {reason}',
    hint: 'give a scheme, a name and a port, such as http://127.0.0.1:7070',
  },
  MILLRACE_CLIENT_UNREACHABLE: {
    status: 503,
    message: 'there is no host at "{url}": {reason}',
    hint: 'start one with millrace host, or give the address that it printed',
  },
  MILLRACE_CLIENT_TIMEOUT: {
    status: 504,
    message: 'the host at "{url}" did not answer {operation} within {timeoutMs} ms',
    hint: 'whether it was carried out is not known: look before you ask again',
  },
  MILLRACE_CLIENT_REPLY: {
    status: 502,
    message: 'what answered at "{url}" is not a host that this client understands: {reason}',
    hint: 'check the address, and that host and client have the same version',
  },
  MILLRACE_ARTIFACT_INVALID: {
    status: 400,
    message: 'the artifact "{sha256}" is not JavaScript: {reason}',
    hint: 'an artifact is one bundled ES module; millrace submit makes it from a TypeScript or JavaScript file',
  },
  MILLRACE_HOST_OPTION: {
    status: 400,
    message: 'the host cannot be started with {option} "{given}"',
    hint: 'give {expected}',
  },
  MILLRACE_HOST_CERTIFICATE: {
    status: 400,
    message: 'the certificate "{subject}" of this host cannot be used: {reason}',
    hint: 'give a certificate with its key and the authority that signed it (--tls-cert, --tls-key, --tls-ca); what stands between the two comes behind the certificate in its file',
  },
  MILLRACE_HOST_HELD_BACK: {
    status: 500,
    message: 'topology "{topology}" ran each time when the process of its host crashed last, and is not started again',
    hint: 'look for native code that crashes (an add-on, a worker out of memory); submit the topology again when it is mended',
  },
  MILLRACE_HOST_FILES: {
    status: 400,
    message: 'the directory for files "{directory}" cannot be used: {reason}',
    hint: 'make it, or name another one',
  },
  MILLRACE_HOST_SUBMIT: {
    status: 400,
    message: 'topology "{topology}" was given as an object, but threads have to import it',
    hint: 'give the URL of the module that default-exports it: submit(topology, options) with options.module = import.meta.url there, or just the URL',
  },
  MILLRACE_FILE_REFUSED: {
    status: 400,
    message: 'the file "{path}" is not used: this host lets topologies from outside use no files',
    hint: 'start the host with --files and a directory; files inside of it may be used then',
  },
  MILLRACE_LISTEN_REFUSED: {
    status: 400,
    message:
      'the address "{address}" is not listened on: topologies from outside may take connections of this machine only',
    hint: 'give a loopback address: 127.0.0.1, ::1 or localhost',
  },
} as const satisfies Record<string, Entry>;
