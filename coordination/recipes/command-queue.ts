// A queue of commands, each of which is carried out once: one worker takes it, in the order in which they were put, and
// ends it with what it wrote in one transaction. When its session ends before, the command is free again. Bound to one
// session. Main thread.
//
//   PATH/items/ID_0000000012   the command; its version counts how often it was taken, and fences who took it
//   PATH/taken/ID_0000000012   ephemeral: who works on it
//   PATH/line/ID_0000000031    who waits for one; only the first looks (front-of-line.ts)
//   PATH/putters/witness-ID    of each process that puts, so that a lost answer puts nothing twice
//
//   put ─► free ─► take: multi [ item at v → v+1, taken ] ─► complete: multi [ item at v+1, ..., both deleted ]
//            ▲                                        │
//            └───────── given back, or session over ──┘

import { failure, isMillraceError, reasonOf } from '../../engine/errors.js';
import { COMMANDS_MAX, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { CallOptions, Operation, OperationResult } from '../store/contract.js';
import { fromNode, toData } from '../store/json-node.js';
import { childOf } from '../store/node-path.js';
import { pause } from '../store/signals.js';
import { hasCode, isPassing, operationOf } from '../store/store-errors.js';
import { atFront, takeNode, type Attempt } from './front-of-line.js';
import { HeldNode, type Holding } from './holding.js';
import { inLine, type Place } from './line.js';
import { childrenChange, childrenOf, ensurePath, removeNode } from './nodes.js';
import { insist, recipeOf, within, type Recipe, type RecipeOptions, type WaitOptions } from './recipe.js';
import { Witness } from './witness.js';

export interface CommandQueueOptions<T> extends RecipeOptions {
  /** Made when it is not there. */
  readonly path: string;
  /** Whether that is a command; what is none, because somebody edited it, stays where it is, and is logged. */
  readonly isCommand: (value: unknown) => value is T;
}

/** A command that this worker has taken. */
export interface Command<T> extends Omit<Holding, 'release'> {
  /** What `put` gave. */
  readonly id: string;
  readonly value: T;
  /** 1 when it was never taken before. */
  readonly attempt: number;
  /**
   * It is done: carries the operations out and takes the command from the queue, in one transaction, if it is still
   * held.
   *
   * @throws MILLRACE_LOCK_LOST, and what `multi` throws; what cannot be done leaves the command held
   */
  complete(operations?: readonly Operation[], options?: WaitOptions): Promise<readonly OperationResult[]>;
  /** It is free again, at its old place. */
  giveBack(): Promise<void>;
}

/**
 * A queue of commands, each carried out once.
 *
 * @example
 * ```ts
 * const queue = new CommandQueue({ session, path: '/commands', isCommand });
 * await queue.put({ restart: 'mail' });
 * const command = await queue.take({ timeoutMs: Infinity, signal });
 * await restart(command.value.restart, { token: command.token, signal: command.lost });
 * await command.complete([{ type: 'set', path: '/restarts/mail', data, version: null }]);
 * ```
 */
export class CommandQueue<T> {
  readonly what = 'queue';
  readonly path: string;
  private readonly recipe: Recipe;
  private readonly isCommand: (value: unknown) => value is T;
  private readonly witness: Witness;
  private readonly items: string;
  private readonly taken: string;
  private readonly line: string;
  /** Items that are no commands, by the change that made them so. */
  private readonly unreadable = new Map<string, bigint>();

  constructor(options: CommandQueueOptions<T>) {
    this.recipe = recipeOf(options);
    this.path = options.path;
    this.isCommand = options.isCommand;
    this.items = childOf(this.path, 'items');
    this.taken = childOf(this.path, 'taken');
    this.line = childOf(this.path, 'line');
    this.witness = new Witness(this.recipe, this, childOf(this.path, 'putters'));
  }

  /**
   * Puts a command at the end, exactly once.
   *
   * @returns its id
   * @throws MILLRACE_RECIPE_TOO_MANY when `COMMANDS_MAX` are in the queue, MILLRACE_RECIPE_TIMEOUT or the reason of the
   * signal, after which it may be put all the same, and what the store throws
   */
  async put(value: T, options: WaitOptions = {}): Promise<string> {
    const { recipe, items } = this;
    const data = toData(value);
    return await within(recipe, this, options, (over) =>
      this.witness.inTurn(over, async (write) => {
        const id = recipe.newId();
        const full = (): Error => failure('MILLRACE_RECIPE_TOO_MANY', { ...this.subject, count: COMMANDS_MAX });
        for (;;) {
          await ensurePath(recipe, items, over);
          await ensurePath(recipe, this.taken, over);
          if (((await childrenOf(recipe, items, over)) ?? []).length >= COMMANDS_MAX) throw full();
          try {
            await write([{ type: 'create', path: childOf(items, `${id}_`), data, mode: 'persistent-sequential' }]);
            break;
          } catch (error) {
            if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
          }
        }
        // Several who put at once may all have seen room for one.
        const line = inLine((await childrenOf(recipe, items, over)) ?? []);
        const name = line.find((each) => each.startsWith(`${id}_`));
        if (name === undefined || line.indexOf(name) < COMMANDS_MAX) return id;
        const taking = childOf(this.taken, name);
        try {
          await write([
            { type: 'create', path: taking, data: new Uint8Array() },
            { type: 'delete', path: childOf(items, name), version: null },
            { type: 'delete', path: taking, version: null },
          ]);
        } catch (error) {
          // Somebody works on it, or has done so.
          if (hasCode(error, 'MILLRACE_STORE_NODE_EXISTS', 'MILLRACE_STORE_NO_NODE')) return id;
          throw error;
        }
        throw full();
      }),
    );
  }

  /**
   * Waits for a command that nobody works on, and takes the first such.
   *
   * @throws MILLRACE_RECIPE_TIMEOUT, MILLRACE_RECIPE_TOO_MANY, the reason of the signal, and what the store throws
   */
  async take(options: WaitOptions = {}): Promise<Command<T>> {
    return (await this.get(options, true))!;
  }

  /** Takes a command if one is free now and nobody waits for it, else null. */
  async tryTake(options: WaitOptions = {}): Promise<Command<T> | null> {
    return await this.get(options, false);
  }

  /** How many commands are in the queue, and how many of them are worked on. */
  async size(options: WaitOptions = {}): Promise<{ readonly commands: number; readonly taken: number }> {
    return await within(this.recipe, this, options, async (over) => ({
      commands: inLine((await childrenOf(this.recipe, this.items, over)) ?? []).length,
      taken: ((await childrenOf(this.recipe, this.taken, over)) ?? []).length,
    }));
  }

  /** Takes along what it needed for putting; commands stay. */
  async close(): Promise<void> {
    await this.witness.close();
  }

  private get subject(): { readonly what: string; readonly path: string } {
    return { what: this.what, path: this.path };
  }

  private async get(options: WaitOptions, patient: boolean): Promise<Command<T> | null> {
    const { recipe, line: directory } = this;
    return await within(recipe, this, options, async (over) => {
      const attempt = (place: Place): Promise<Attempt<Command<T>>> => this.attempt(place, patient, over);
      return await atFront(recipe, this, { directory, patient }, over, attempt);
    });
  }

  private async attempt(place: Place, patient: boolean, over: AbortSignal): Promise<Attempt<Command<T>>> {
    const { recipe, items, taken } = this;
    for (;;) {
      const [names, busy] = [await childrenOf(recipe, items, over), await childrenOf(recipe, taken, over)];
      let came: Attempt<Command<T>> | 'again' = 'nothing';
      for (const name of inLine(names ?? [])) {
        if (busy?.includes(name) === true) continue;
        came = await this.takeItem(place, name, over);
        if (came !== 'nothing') break;
      }
      if (came === 'again') continue;
      if (came !== 'nothing') return came;
      if (!patient) return 'nothing';
      await childrenChange(
        recipe,
        over,
        new Map([
          [items, names],
          [taken, busy],
        ]),
      );
    }
  }

  /** 'nothing' when it is no command. */
  private async takeItem(place: Place, name: string, over: AbortSignal): Promise<Attempt<Command<T>> | 'again'> {
    const { recipe } = this;
    const { session } = recipe;
    const item = childOf(this.items, name);
    const path = childOf(this.taken, name);
    try {
      const node = await insist(recipe, over, () => session.get(item, { signal: over }));
      const { version, modifyRevision } = node.stat;
      let value: T;
      try {
        value = fromNode(node, this.isCommand);
      } catch (error) {
        if (this.unreadable.get(name) !== modifyRevision) recipe.logger.error(reasonOf(error));
        if (this.unreadable.size >= COMMANDS_MAX) this.unreadable.clear();
        this.unreadable.set(name, modifyRevision);
        return 'nothing';
      }
      const set = { type: 'set', path: item, data: node.data, version } as const;
      const got = await takeNode(recipe, place, path, [set], over);
      if (got === null) return 'gone';
      const fence = { path: item, version: version + 1 };
      const held = holdOrRemove(recipe, path, () => new HeldNode({ recipe, path, ...got, fence }));
      return { got: new TakenCommand(recipe, held, { name, value, item, version: fence.version }) };
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_NODE_EXISTS', 'MILLRACE_STORE_BAD_VERSION')) {
        throw error;
      }
      if (operationOf(error) === 0) return 'gone';
      // Done, taken or edited in between, or a directory is not there yet.
      await ensurePath(recipe, this.taken, over);
      return 'again';
    }
  }
}

function holdOrRemove(recipe: Recipe, path: string, hold: () => HeldNode): HeldNode {
  try {
    return hold();
  } catch (error) {
    void removeNode(recipe, path);
    throw error;
  }
}

interface TakenItem<T> {
  readonly name: string;
  readonly value: T;
  readonly item: string;
  readonly version: number;
}

class TakenCommand<T> implements Command<T> {
  readonly id: string;
  readonly value: T;
  readonly attempt: number;
  readonly path: string;
  readonly token: bigint;
  readonly lost: AbortSignal;
  private readonly recipe: Recipe;
  private readonly held: HeldNode;
  private readonly taken: TakenItem<T>;

  constructor(recipe: Recipe, held: HeldNode, taken: TakenItem<T>) {
    this.recipe = recipe;
    this.held = held;
    this.taken = taken;
    this.id = taken.name.slice(0, taken.name.lastIndexOf('_'));
    this.value = taken.value;
    this.attempt = taken.version;
    this.path = held.path;
    this.token = held.token;
    this.lost = held.lost;
  }

  async act(operations: readonly Operation[], options?: CallOptions): Promise<readonly OperationResult[]> {
    return await this.held.act(operations, options);
  }

  async complete(
    operations: readonly Operation[] = [],
    options: WaitOptions = {},
  ): Promise<readonly OperationResult[]> {
    const { recipe, held, taken } = this;
    const all: readonly Operation[] = [
      ...operations,
      { type: 'delete', path: held.path, version: null },
      { type: 'delete', path: taken.item, version: null },
    ];
    const work = async (over: AbortSignal): Promise<readonly OperationResult[]> => {
      for (;;) {
        try {
          const results = await held.act(all, { signal: over });
          held.settle();
          return results.slice(0, operations.length);
        } catch (error) {
          if (over.aborted || !isMillraceError(error) || !isPassing(error)) throw error;
          // Nobody else takes it, and ends it, while our node is kept.
          if (hasCode(error, 'MILLRACE_STORE_UNCERTAIN') && (await this.isDone(over))) {
            held.settle();
            return [];
          }
        }
        await pause(recipe.clock, STORE_RETRY_MIN_MS, over);
      }
    };
    return await held.finish(() => within(recipe, { what: 'command', path: taken.item }, options, work));
  }

  async giveBack(): Promise<void> {
    await this.held.releaseAfterWork();
  }

  private async isDone(over: AbortSignal): Promise<boolean> {
    const { session } = this.recipe;
    const { item } = this.taken;
    await insist(this.recipe, over, () => session.sync(item, { signal: over }));
    return (await insist(this.recipe, over, () => session.exists(item, { signal: over }))) === null;
  }
}
