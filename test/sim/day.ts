// What happens to a simulated world, as its seed says: users wish, hosts die, stop, are cut off and leave, servers of
// the store go, lag and come back, and at the end everything is healed and comes to rest.

import type { Random } from '../../engine/random.js';
import { DRAINS, MASTERS } from '../../coordination/paths.js';
import { randomTemplate, submissionOf, type Template } from './topologies.js';
import { SERVERS, type World } from './world.js';

/** Names that are submitted: few, so that they come again. */
const NAMES_PER_HOST = 0.8;

interface Act {
  /** How often, beside the others. */
  readonly weight: number;
  readonly act: (day: Day) => void;
}

const ACTS: Readonly<Record<string, Act>> = {
  submit: { weight: 10, act: (day) => day.submit() },
  replace: { weight: 4, act: (day) => day.replace() },
  kill: { weight: 4, act: (day) => day.kill() },
  deactivate: { weight: 3, act: (day) => day.setWanted('inactive') },
  activate: { weight: 3, act: (day) => day.setWanted('active') },
  rebalance: { weight: 5, act: (day) => day.rebalance() },
  drain: { weight: 2, act: (day) => day.drain() },
  undrain: { weight: 2, act: (day) => day.undrain() },
  'kill a host': { weight: 5, act: ({ world }) => killHost(world) },
  'stop a host': {
    weight: 3,
    act: ({ world }) => world.pick(world.machines)?.stop(world.between(100, 20_000)),
  },
  'cut a host off': { weight: 3, act: (day) => day.cutHost() },
  'set a host apart': { weight: 3, act: (day) => day.setApart() },
  'a host leaves': { weight: 1, act: ({ world }) => world.pick(world.machines)?.leave(world.between(100, 5_000)) },
  'unseat the master': { weight: 2, act: (day) => day.unseat() },
  'break a connection': { weight: 2, act: ({ world }) => world.store.disconnect(world.pick(world.machines)?.name) },
  'cut a server off': { weight: 2, act: (day) => day.cutServer() },
  'stop the store': { weight: 1, act: (day) => day.stopStore() },
  weather: { weight: 3, act: (day) => day.weather() },
};

/** How the network and the servers are. */
const WEATHER = [
  { delayMs: [0, 2], lagMs: [0, 2], watchDelayMs: [0, 2], refusedShare: 0, brokenShare: 0 },
  { delayMs: [1, 30], lagMs: [0, 100], watchDelayMs: [0, 50], refusedShare: 0, brokenShare: 0 },
  { delayMs: [1, 200], lagMs: [0, 1_500], watchDelayMs: [0, 500], refusedShare: 0.01, brokenShare: 0.01 },
  { delayMs: [0, 20], lagMs: [0, 200], watchDelayMs: [0, 20], refusedShare: 0.1, brokenShare: 0.05 },
] as const;

export class Day {
  readonly world: World;
  private readonly random: Random;
  private readonly names: readonly string[];
  private readonly template: (() => Template) | null;
  private readonly total: number;

  /** @param template - what is submitted; null: small topologies of the seed */
  constructor(world: World, template: Template | null) {
    this.world = world;
    this.random = world.random;
    this.template = template === null ? null : () => template;
    const names = Math.max(2, Math.ceil(world.machines.length * NAMES_PER_HOST));
    this.names = Array.from({ length: names }, (_, number) => `t${number}`);
    this.total = Object.values(ACTS).reduce((sum, { weight }) => sum + weight, 0);
  }

  /** All hosts are started, one after the other. */
  async begin(): Promise<void> {
    const { world } = this;
    this.weather();
    for (const machine of world.machines) {
      machine.start();
      await world.advance(world.between(0, 500));
    }
  }

  async step(): Promise<void> {
    const { world, random } = this;
    let at = random.nextFloat() * this.total;
    const [what, { act }] = Object.entries(ACTS).find(([, { weight }]) => (at -= weight) < 0)!;
    world.journal.mark(what);
    act(this);
    // Often at once, at times after a while.
    const share = random.nextFloat();
    await world.advance(share < 0.4 ? world.between(0, 50) : share < 0.9 ? world.between(50, 2_000) : 8_000);
  }

  /** Nothing goes wrong any more, and everybody comes back. */
  heal(): void {
    const { world } = this;
    world.journal.note('all is healed');
    world.habits = { completes: 0, fails: 0, refuses: 0, paceMs: 5_000 };
    this.startStore();
    world.store.calm();
    world.store.setFaults({ delayMs: [0, 2], lagMs: [0, 5] });
    for (const machine of world.machines) {
      machine.isApart = false;
      machine.heal();
      machine.goOn();
    }
  }

  submit(): void {
    const { world, random } = this;
    const name = world.pick(this.names)!;
    const template = this.template?.() ?? randomTemplate(random);
    const workers = 1 + random.nextBelow(4);
    const submission = submissionOf(template, name, workers, random.nextFloat() < 0.85);
    world.ask(
      `submit "${name}"`,
      ({ topologies }) => topologies.submit(submission),
      ({ id }) => world.acknowledged.set(id, { name, id, isKilled: false }),
    );
  }

  /** A new version of one that may be there. */
  replace(): void {
    const { world, random } = this;
    const name = world.pick(this.names)!;
    const template = this.template?.() ?? randomTemplate(random);
    const submission = submissionOf(template, name, 1 + random.nextBelow(3), true);
    world.ask(
      `replace "${name}"`,
      ({ replacements }) => replacements.submit(submission),
      (id) => world.acknowledged.set(id, { name, id, isKilled: false }),
    );
  }

  kill(): void {
    const { world, random } = this;
    const name = world.pick(this.names)!;
    // Never 0: so ends what is not wanted any more, and a mutation tells the two apart.
    const waitMs = 1 + random.nextBelow(2) * random.nextBelow(5_000);
    world.ask(
      `kill "${name}"`,
      ({ topologies }) => topologies.kill(name, { waitMs, reason: null }),
      ({ id }) => {
        const known = world.acknowledged.get(id);
        if (known !== undefined) known.isKilled = true;
      },
    );
  }

  setWanted(wanted: 'active' | 'inactive'): void {
    const name = this.world.pick(this.names)!;
    this.world.ask(`"${name}" ${wanted}`, ({ topologies }) => topologies.setWanted(name, wanted));
  }

  rebalance(): void {
    const { world, random } = this;
    const name = world.pick(this.names)!;
    const workers = 1 + random.nextBelow(5);
    world.ask(`rebalance "${name}" to ${workers}`, ({ topologies }) => topologies.rebalance(name, { workers }));
  }

  drain(): void {
    const { name } = this.world.pick(this.world.machines)!;
    this.world.ask(`drain ${name}`, ({ drains }) => drains.drain(name));
  }

  undrain(): void {
    const { world } = this;
    const name = world.pick(world.rules.mirror.children(DRAINS));
    if (name !== undefined) world.ask(`undrain ${name}`, ({ drains }) => drains.undrain(name));
  }

  cutHost(): void {
    const { world } = this;
    const machine = world.pick(world.machines)!;
    if (machine.isCut) return;
    const ms = world.between(500, 20_000);
    world.journal.note(`${machine.name} is cut off for ${Math.round(ms)} ms`);
    machine.cut();
    world.time.after(ms, () => machine.heal());
  }

  /** It reaches the store, and none of the other hosts. */
  setApart(): void {
    const { world } = this;
    const machine = world.pick(world.machines)!;
    if (machine.isApart) return;
    const ms = world.between(500, 20_000);
    world.journal.note(`${machine.name} is apart for ${Math.round(ms)} ms`);
    machine.isApart = true;
    world.time.after(ms, () => (machine.isApart = false));
  }

  /** Somebody deletes its place in the queue by hand: it lives, and does not lead any more. */
  unseat(): void {
    const { world } = this;
    const [first] = [...world.rules.mirror.children(MASTERS)].sort((a, b) => (a.slice(-10) < b.slice(-10) ? -1 : 1));
    if (first === undefined) return;
    world.journal.note(`the master is unseated: ${first}`);
    void world.store
      .connect()
      .then(async (session) => {
        await session.delete(`${MASTERS}/${first}`, null).catch(() => undefined);
        await session.close();
      })
      .catch(() => undefined);
  }

  cutServer(): void {
    const { world, random } = this;
    const index = random.nextBelow(SERVERS);
    world.journal.note(`server ${index} is cut off`);
    world.store.cutServer(index);
    world.time.after(world.between(200, 8_000), () => world.store.joinServer(index));
  }

  stopStore(): void {
    const { world } = this;
    if (world.isStoreAway) return;
    world.journal.note('the store is away');
    world.isStoreAway = true;
    world.store.stop();
    world.time.after(world.between(200, 15_000), () => this.startStore());
  }

  private startStore(): void {
    const { world } = this;
    if (!world.isStoreAway) return;
    world.journal.note('the store is back');
    world.isStoreAway = false;
    world.store.start();
  }

  weather(): void {
    this.world.store.setFaults(this.world.pick(WEATHER)!);
  }
}

function killHost(world: World): void {
  const machine = world.pick(world.machines)!;
  const again = world.random.nextFloat() < 0.8;
  const startAgainMs = again ? world.between(100, 3_000) : world.between(3_000, 40_000);
  machine.kill(world.random.nextFloat() < 0.6 ? 'alive' : 'dead', startAgainMs);
}
