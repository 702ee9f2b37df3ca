// What the topologies of this suite are made of: spouts whose tuples the test feeds, and gates that asynchronous calls
// wait at until a command opens them. A thread has one set of gates, so their names are unique among all tests of a
// file.

import { Bolt, Spout, type Tuple } from 'millrace';

/** Its tuples come from `TestRun.feed`. */
export class Fed extends Spout {
  nextTuple(): 'done' {
    return 'done';
  }
}

/** Emits one value that the test feeds. */
export class Source extends Fed {
  static readonly outputs = ['value'] as const;
}

/** Emits the names of gates. */
export class Command extends Fed {
  static readonly outputs = ['gate'] as const;
}

interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

const gates = new Map<string, Gate>();

function gateOf(name: string): Gate {
  let gate = gates.get(name);
  if (gate === undefined) {
    let open = (): void => undefined;
    const passed = new Promise<void>((resolve) => (open = resolve));
    gate = { passed, open };
    gates.set(name, gate);
  }
  return gate;
}

/** Resolves when that gate was opened in this thread. */
export function passed(name: string): Promise<void> {
  return gateOf(name).passed;
}

/** Opens the gate that it is told, in its thread: subscribe one a worker by `all`. */
export class Opener extends Bolt {
  execute(tuple: Tuple): void {
    openGate(String(tuple.values[0]));
  }
}

/** Opens that gate in this thread. */
export function openGate(name: string): void {
  gateOf(name).open();
}

/** Takes tuples; the test looks at what it took. */
export class Sink extends Bolt {
  execute(_tuple: Tuple): void {
    return undefined;
  }
}

/** Passes on what it takes. */
export class Relay extends Bolt {
  static readonly outputs = ['value'] as const;

  execute(tuple: Tuple, emit: (values: readonly [value: unknown]) => void): void {
    emit([tuple.values[0]]);
  }
}
