// Looks inside the components of a worker under test: wraps each of them, so that the engine around them stays the one
// of production. What they emit, execute, ack and fail is told to the test; fed spouts emit what the test gives them; a
// strike fails a tuple or kills the worker. Runs on the worker's thread, or in the test's own.

import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import type { Bolt } from '../component/bolt.js';
import type { BoltContext, SpoutContext } from '../component/context.js';
import type { Emit, EmitOptions } from '../component/emit.js';
import { INGEST, isIngestSpout, type IngestSpout } from '../component/ingest-spout.js';
import { Spout, type NextTuple } from '../component/spout.js';
import type { Tuple, Values } from '../component/tuple.js';
import type { ComponentDefinition, Topology } from '../model/definition.js';
import type { FromInstrument, InstrumentSetup, LifeCall, Place, TestEvent, ToInstrument } from './messages.js';

/** Ends the worker of a port that lives in the test's own thread, where `process.exit` would end the test. */
export const crashHooks = new WeakMap<MessagePort, () => void>();

interface Fed {
  readonly stream: string;
  readonly values: Values;
  readonly id: unknown;
}

/** What the test asked of one component in this worker. */
class Desk {
  readonly fed = new Map<number, Fed[]>();
  ended = false;
  strikes: { at: number; readonly how: 'fail' | 'kill' }[] = [];
  wake: (() => void)[] = [];
}

class Recorder {
  readonly setup: InstrumentSetup;
  private readonly port: MessagePort;
  private readonly desks = new Map<string, Desk>();
  private readonly shown = new Map<unknown, string>();
  /** The worker was killed in the test's own thread, where the call that killed it still returns. */
  private dead = false;

  constructor(port: MessagePort) {
    this.port = port;
    this.setup = receiveMessageOnPort(port)?.message as InstrumentSetup;
    port.on('message', (message: ToInstrument) => this.onMessage(message));
    port.unref();
  }

  deskOf(component: string): Desk {
    let desk = this.desks.get(component);
    if (desk === undefined) {
      desk = new Desk();
      this.desks.set(component, desk);
    }
    return desk;
  }

  post(event: TestEvent): void {
    if (!this.setup.record || this.dead) return;
    try {
      this.port.postMessage(event);
    } catch {
      const id = 'id' in event ? { id: this.portable(event.id) } : {};
      const values = 'values' in event ? { values: event.values.map((value) => this.portable(value)) } : {};
      this.port.postMessage({ ...event, ...id, ...values });
    }
  }

  /** What cannot leave its thread is told apart by a number. */
  private portable(value: unknown): unknown {
    try {
      return structuredClone(value);
    } catch {
      const shown = this.shown.get(value) ?? `object ${this.shown.size}`;
      this.shown.set(value, shown);
      return shown;
    }
  }

  life(place: Place, call: LifeCall): void {
    this.post({ ...place, type: 'life', call });
  }

  /** Throws, or ends the worker, when the time of a strike has come. */
  strike(component: string): void {
    const desk = this.deskOf(component);
    for (const strike of desk.strikes) strike.at--;
    const due = desk.strikes.find((strike) => strike.at === 0);
    desk.strikes = desk.strikes.filter((strike) => strike.at > 0);
    if (due?.how === 'kill') this.kill();
    if (due !== undefined) throw new Error('struck by the test');
  }

  private kill(): void {
    const crash = crashHooks.get(this.port);
    if (crash === undefined) process.exit(1);
    this.dead = true;
    crash();
  }

  private onMessage(message: ToInstrument): void {
    switch (message.type) {
      case 'feed': {
        const { index, stream, values, id } = message;
        const desk = this.deskOf(message.component);
        desk.fed.set(index, [...(desk.fed.get(index) ?? []), { stream, values, id }]);
        for (const wake of desk.wake) wake();
        return;
      }
      case 'endFeed': {
        const desk = this.deskOf(message.component);
        desk.ended = true;
        for (const wake of desk.wake) wake();
        return;
      }
      case 'strike':
        this.deskOf(message.component).strikes.push({ at: message.at, how: message.how });
        return;
      case 'sync':
        this.port.postMessage({ type: 'synced', round: message.round } satisfies FromInstrument);
        return;
    }
  }
}

/** Wraps every component of the topology; called by the worker before it makes its tasks. */
export function instrument(topology: Topology, port: MessagePort): Topology {
  const recorder = new Recorder(port);
  return { ...topology, components: topology.components.map((component) => wrap(recorder, component)) };
}

function wrap(recorder: Recorder, definition: ComponentDefinition): ComponentDefinition {
  if (definition.kind === 'bolt') {
    return { ...definition, create: (config) => watchBolt(recorder, definition.id, definition.create(config)) };
  }
  const fed = recorder.setup.fed.includes(definition.id);
  return {
    ...definition,
    create: (config) => watchSpout(recorder, definition.id, fed ? new FedSpout() : definition.create(config)),
  };
}

/** Emits what the test feeds. */
class FedSpout extends Spout {
  desk = new Desk();
  index = 0;
  private woken: (() => void) | null = null;

  override open(context: SpoutContext): void {
    this.index = context.index;
    this.desk.wake.push(() => {
      this.woken?.();
      this.woken = null;
      context.wake();
    });
  }

  nextTuple(emit: Emit): NextTuple | Promise<NextTuple> {
    const next = this.desk.fed.get(this.index)?.shift();
    if (next !== undefined) {
      const send = emit as (values: Values, options: EmitOptions) => void;
      send(next.values, { stream: next.stream, ...(next.id === undefined ? {} : { id: next.id }) });
      return undefined;
    }
    if (this.desk.ended) return 'done';
    return new Promise((resolve) => (this.woken = () => resolve(undefined)));
  }
}

function watchSpout(recorder: Recorder, component: string, spout: Spout): Spout {
  let place: Place = { component, task: -1, worker: recorder.setup.worker, incarnation: 0 };
  recorder.life(place, 'constructor');
  const watched: Spout = {
    open: (context) => {
      place = { ...place, task: context.task, incarnation: context.incarnation };
      recorder.life(place, 'open');
      if (spout instanceof FedSpout) spout.desk = recorder.deskOf(component);
      return spout.open?.(context);
    },
    activate: () => after(recorder, place, 'activate', spout.activate?.()),
    nextTuple: (emit) => spout.nextTuple(watchEmit(recorder, () => place, emit)),
    ack: (id) => {
      recorder.post({ ...place, type: 'acked', id });
      spout.ack?.(id);
    },
    fail: (id, cause, failure) => {
      recorder.post({ ...place, type: 'failed', id, failure: failure ?? null });
      spout.fail?.(id, cause, failure);
    },
    deactivate: () => after(recorder, place, 'deactivate', spout.deactivate?.()),
    close: () => after(recorder, place, 'close', spout.close?.()),
  };
  if (spout.parametersChanged !== undefined) {
    watched.parametersChanged = (parameters) =>
      after(recorder, place, 'parametersChanged', spout.parametersChanged!(parameters));
  }
  if (isIngestSpout(spout)) (watched as IngestSpout)[INGEST] = (answer) => spout[INGEST](answer);
  return watched;
}

function watchBolt(recorder: Recorder, component: string, bolt: Bolt): Bolt {
  let place: Place = { component, task: -1, worker: recorder.setup.worker, incarnation: 0 };
  recorder.life(place, 'constructor');
  const watched: Bolt = {
    prepare: (context: BoltContext) => {
      place = { ...place, task: context.task, incarnation: context.incarnation };
      recorder.life(place, 'prepare');
      return bolt.prepare?.(context);
    },
    activate: () => after(recorder, place, 'activate', bolt.activate?.()),
    execute: (tuple: Tuple, emit: Emit) => {
      recorder.strike(component);
      const { component: source, stream, values } = tuple;
      recorder.post({ ...place, type: 'executed', source, stream, values });
      return bolt.execute(
        tuple,
        watchEmit(recorder, () => place, emit),
      );
    },
    deactivate: () => after(recorder, place, 'deactivate', bolt.deactivate?.()),
    close: () => after(recorder, place, 'close', bolt.close?.()),
  };
  if (bolt.parametersChanged !== undefined) {
    watched.parametersChanged = (parameters) =>
      after(recorder, place, 'parametersChanged', bolt.parametersChanged!(parameters));
  }
  if (bolt.tick !== undefined) {
    watched.tick = (emit) => {
      recorder.life(place, 'tick');
      return bolt.tick!(watchEmit(recorder, () => place, emit));
    };
  }
  if (bolt.endBatch !== undefined) {
    watched.endBatch = () => {
      recorder.life(place, 'endBatch');
      return bolt.endBatch!();
    };
  }
  if (bolt.finish !== undefined) {
    watched.finish = (emit) => {
      recorder.life(place, 'finish');
      return bolt.finish!(watchEmit(recorder, () => place, emit));
    };
  }
  return watched;
}

function after(
  recorder: Recorder,
  place: Place,
  call: LifeCall,
  result: void | Promise<void> | undefined,
): void | Promise<void> {
  recorder.life(place, call);
  return result;
}

/** Emits, and tells the test what left. */
function watchEmit(recorder: Recorder, place: () => Place, emit: Emit): Emit {
  if (!recorder.setup.record) return emit;
  const watched = (values: Values, options?: EmitOptions): void => {
    (emit as (values: Values, options?: EmitOptions) => void)(values, options);
    recorder.post({ ...place(), type: 'emitted', stream: options?.stream ?? 'default', values, id: options?.id });
  };
  const direct = (task: number, values: Values, options?: EmitOptions): void => {
    (emit.direct as (task: number, values: Values, options?: EmitOptions) => void)(task, values, options);
    recorder.post({ ...place(), type: 'emitted', stream: options?.stream ?? 'default', values, id: options?.id });
  };
  const withReady = Object.assign(watched, { direct, ready: () => emit.ready() });
  return Object.defineProperty(withReady, 'signal', { get: () => emit.signal }) as Emit;
}
