// One connection of a session with a simulated server, both of its ends. Messages go each way in order, and late; a
// message that does not get through is the last one of that connection, as in TCP. The server takes the requests of a
// session one after the other, so a session sees its own writes.
//
//   client ──requests──► [ queue ] ─► reads: the server's tree ─────────────────────┐
//                                  └► writes: the leader ─► the server has them ────┤
//   client ◄──answers, states of watches, each with the revision it comes from──────┘
//
//   broken: the client hears of it; requests under way still arrive, or do not. Torn: nobody hears of anything.

import type { Clock } from '../../../engine/clock.js';
import type { StoreUser } from '../access.js';
import type { Applied, TransactionContext } from '../embedded/transaction.js';
import type { Tree } from '../embedded/tree.js';
import type { Chance } from './faults.js';
import type { Server, ServerWatch } from './server.js';

/** What a client asks of a server. */
export type Request =
  | { readonly type: 'read'; readonly read: (tree: Tree) => unknown }
  | { readonly type: 'write'; readonly write: (context: TransactionContext) => Applied }
  /** Answered when the server has everything that was decided before. */
  | { readonly type: 'sync' }
  /** Ends the session. */
  | { readonly type: 'end' };

/** What came of a request. */
export type Answer =
  | { readonly type: 'read'; readonly value: unknown }
  | { readonly type: 'write'; readonly applied: Applied }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: unknown };

/** How a session introduces itself; without an id it is new. */
export interface Hello {
  readonly id: string | null;
  readonly users: readonly StoreUser[];
  readonly timeoutMs: number;
  /** The newest revision that it saw: a server that is behind that does not take it. */
  readonly seen: number;
}

/** What a server says to that; null: the session is over. */
export type Welcome = { readonly id: string; readonly number: number } | null;

/** Who reaches the store. */
export interface Client {
  readonly name: string;
  /** What happens at the client happens by this one: as long as it stands, the client stands too. */
  readonly clock: Clock;
}

/** What is between clients and servers. */
export interface Network {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly servers: readonly Server[];
  readonly connections: Set<Connection>;
  /** Whether nothing of that client gets through. */
  blocked(client: string): boolean;
}

export class Connection {
  readonly client: Client;
  readonly server: Server;
  /** The session that it belongs to, once the server knows it. */
  session: string | null = null;
  private readonly network: Network;
  private readonly onBroken: () => void;
  /** Called with everything that comes from the server. */
  private readonly onHeard: (revision: number) => void;
  private number = 0;
  private open = true;
  private torn = false;
  /** The client wants nothing more of it. */
  private left = false;
  /** Whether requests that were under way when it broke get to the server. */
  private arrives = false;
  private readonly there: (() => void)[] = [];
  private readonly back: (() => void)[] = [];
  private readonly lastMs = { there: 0, back: 0 };
  private readonly requests: { readonly request: Request; readonly answered: (answer: Answer) => void }[] = [];
  private busy = false;
  private readonly watches = new Set<ServerWatch>();

  constructor(
    network: Network,
    client: Client,
    server: Server,
    on: { readonly broken: () => void; readonly heard: (revision: number) => void },
  ) {
    this.network = network;
    this.client = client;
    this.server = server;
    this.onBroken = on.broken;
    this.onHeard = on.heard;
    network.connections.add(this);
  }

  /** The first message; the connection breaks when the server does not take the session. */
  hello(hello: Hello, welcomed: (welcome: Welcome) => void): void {
    this.toServer(() => {
      const { server } = this;
      const { leader } = server;
      if (!server.serving || !leader.running || server.revision < hello.seen) {
        this.break();
        return;
      }
      this.toLeader(() => {
        if (hello.id === null) {
          this.session = leader.open(hello.users, hello.timeoutMs);
          this.number = 1;
          server.reached(leader.revision, () => this.welcome(welcomed));
          return;
        }
        this.number = leader.resume(hello.id) ?? 0;
        this.session = this.number === 0 ? null : hello.id;
        this.welcome(welcomed);
      });
    });
  }

  request(request: Request, answered: (answer: Answer) => void): void {
    this.toServer(() => {
      this.requests.push({ request, answered });
      this.work();
    });
  }

  /**
   * Has the server tell that state, and again after each change of it; states may be skipped, the last one never is.
   */
  watch(
    watch: Omit<ServerWatch, 'changed'>,
    read: (tree: Tree) => unknown,
    told: (state: unknown) => void,
  ): () => void {
    const { clock, chance } = this.network;
    let due = false;
    const tell = (): void => {
      due = false;
      const state = outcomeOf(() => read(this.server.tree));
      // What may not be read now is looked at again when the rules of the node change.
      if (state.type === 'read') this.toClient(() => told(state.value));
    };
    const changed = (): void => {
      if (due) return;
      due = true;
      clock.after(chance.ms('watchDelayMs'), tell);
    };
    const followed: ServerWatch = { ...watch, changed };
    const begin = (): void => {
      this.follow(followed);
      tell();
    };
    this.request({ type: 'read', read: begin }, () => undefined);
    return () => {
      this.watches.delete(followed);
      this.server.unfollow(followed);
    };
  }

  /** Breaks it from outside: the client hears of it soon. */
  break(): void {
    if (!this.open) return;
    this.end();
    this.client.clock.after(this.network.chance.ms('delayMs'), () => {
      if (!this.left && !this.stuck()) this.onBroken();
    });
  }

  /** The client lets it go, and hears nothing more of it. */
  drop(): void {
    this.left = true;
    this.end();
  }

  private end(): void {
    if (!this.open) return;
    this.open = false;
    this.arrives = this.network.chance.coin();
    this.network.connections.delete(this);
    for (const watch of this.watches) this.server.unfollow(watch);
  }

  private follow(watch: ServerWatch): void {
    if (!this.open) return;
    this.watches.add(watch);
    this.server.follow(watch);
  }

  private welcome(welcomed: (welcome: Welcome) => void): void {
    const { session, number } = this;
    this.toClient(() => welcomed(session === null ? null : { id: session, number }));
  }

  /** Takes requests as long as they are answered at once. */
  private work(): void {
    while (!this.busy && this.requests.length > 0) {
      const { request, answered } = this.requests.shift()!;
      this.busy = true;
      let atOnce = true;
      this.carryOut(request, (answer) => {
        this.busy = false;
        this.toClient(() => answered(answer));
        if (!atOnce) this.work();
      });
      atOnce = false;
    }
  }

  private carryOut(request: Request, answer: (answer: Answer) => void): void {
    const { server } = this;
    const { leader } = server;
    if (request.type === 'read') {
      answer(outcomeOf(() => request.read(server.tree)));
      return;
    }
    this.toLeader(() => {
      const outcome = outcomeOf(() => this.atLeader(request));
      server.reached(leader.revision, () => answer(outcome.type === 'read' ? (outcome.value as Answer) : outcome));
    });
  }

  private atLeader(request: Exclude<Request, { readonly type: 'read' }>): Answer {
    const { leader } = this.server;
    switch (request.type) {
      case 'write': {
        let applied: Applied | null = null;
        leader.change(this.session!, this.number, (context) => (applied = request.write(context)));
        return { type: 'write', applied: applied! };
      }
      case 'sync':
        return { type: 'done' };
      case 'end':
        leader.end(this.session!);
        return { type: 'done' };
    }
  }

  /** Runs where the leader is, or never. */
  private toLeader(run: () => void): void {
    const { clock, chance } = this.network;
    clock.after(chance.ms('delayMs'), () => {
      if (this.server.connected && (this.open || this.arrives)) run();
    });
  }

  private toServer(run: () => void): void {
    this.send('there', () => {
      if (!this.open && !this.arrives) return;
      if (this.session !== null && this.server.connected) this.server.leader.heard(this.session);
      run();
    });
  }

  private toClient(run: () => void): void {
    const { revision } = this.server;
    this.send('back', () => {
      if (!this.open) return;
      this.onHeard(revision);
      run();
    });
  }

  private send(way: 'there' | 'back', run: () => void): void {
    const { chance } = this.network;
    const clock = way === 'there' ? this.network.clock : this.client.clock;
    if (this.stuck()) return;
    const atMs = Math.max(this.lastMs[way], clock.now() + chance.ms('delayMs'));
    this.lastMs[way] = atMs;
    this[way].push(run);
    // The first of the queue, whatever it is: a clock that rounds must not change their order.
    clock.after(atMs - clock.now(), () => {
      const first = this[way].shift();
      if (!this.stuck()) first?.();
    });
  }

  /** Whether nothing gets through any more; once so, it stays so. */
  private stuck(): boolean {
    this.torn ||= this.network.blocked(this.client.name);
    return this.torn;
  }
}

function outcomeOf(run: () => unknown): Answer {
  try {
    return { type: 'read', value: run() };
  } catch (error) {
    return { type: 'failed', error };
  }
}
