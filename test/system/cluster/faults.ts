// The faults that a cluster has to get over, each brought upon three hosts while a topology runs on all of them: for
// the tests, which look at what came of it, and for `npm run faults`, which prints the times. Whatever happened, in the
// end all hosts are there, one of them is master, and every line was seen.

import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Assignment } from '../../../coordination/topology-records.js';
import { allAway, bringBack, rollingRestart } from '../../coordination/store/zookeeper/faults.js';
import { poll } from '../host-command.js';
import type { ClusterHost, HostCluster } from './hosts.js';
import { Load, type LoadOptions, type Processed } from './load.js';
import { nowMs } from './sightings.js';

/** What a fault is brought upon. */
export interface Scene {
  readonly cluster: HostCluster;
  readonly load: Load;
  /** How long servers stay away that do. */
  readonly awayMs: number;
  /** Sockets are refused instead of being silent, so that nobody waits for silence. */
  readonly isShort: boolean;
}

/** What it was. */
export interface Struck {
  readonly atMs: number;
  /** Something is delivered again because of it. */
  readonly redelivers: boolean;
  /** Whom it met. */
  readonly whom: string;
  /** Ends what would not end by itself. */
  readonly heal?: () => Promise<void>;
  /** What was not as it has to be. */
  readonly wrong?: readonly string[];
}

export interface Fault {
  readonly name: string;
  /** By when something should be delivered again; null: nothing was promised. */
  readonly goalMs: number | null;
  /** Too much like another one to be in the tests as well. */
  readonly isLong?: true;
  strike(scene: Scene): Promise<Struck>;
}

export interface Outcome extends Processed {
  readonly whom: string;
  /** From the fault to the first line that was delivered again; null for one after which none has to be. */
  readonly redeliveredMs: number | null;
  /** The longest time without any line. */
  readonly silenceMs: number;
  readonly master: string;
  readonly wrong: readonly string[];
}

/** Who has which part. */
interface Parts {
  readonly lead: string;
  /** Hosts that have workers and do not lead. */
  readonly members: readonly string[];
  readonly master: string;
}

async function partsOf({ cluster, load }: Scene): Promise<Parts> {
  const { places } = await load.spread();
  const lead = places[0]!.host;
  const members = [...new Set(places.map(({ host }) => host))].filter((host) => host !== lead).sort();
  return { lead, members, master: (await cluster.master()).host };
}

/** A host that has workers, does not lead, and is not master if there is such a one. */
async function memberOf(scene: Scene): Promise<ClusterHost> {
  const { members, master } = await partsOf(scene);
  return scene.cluster.host(members.find((name) => name !== master) ?? members[0]!);
}

async function killedProcess({ cluster }: Scene, name: string): Promise<Struck> {
  return { atMs: await cluster.killProcess(name), redelivers: true, whom: name };
}

/** Parent and process: only time tells. They are started again once others do its work. */
async function killedMachine(scene: Scene, { command, plan }: ClusterHost): Promise<Struck> {
  const atMs = nowMs();
  await command.killBoth();
  return { atMs, redelivers: true, whom: plan.name, heal: async () => await scene.cluster.startAgain(plan.name) };
}

function isWithout(name: string): (found: Assignment) => boolean {
  return ({ places }) => places.length > 0 && places.every(({ host }) => host !== name);
}

async function stopped(scene: Scene, { command, plan }: ClusterHost): Promise<Struck> {
  const { cluster, load } = scene;
  const pid = command.childPid!;
  const atMs = nowMs();
  process.kill(pid, 'SIGSTOP');
  const heal = async (): Promise<void> => {
    // It has been given up, and comes back to find that out.
    await poll(async () => !(await cluster.client(plan.name).hosts()).some(({ host }) => host === plan.name));
    await load.assignment(isWithout(plan.name));
    process.kill(pid, 'SIGCONT');
  };
  return { atMs, redelivers: true, whom: plan.name, heal };
}

async function cutFromStore(scene: Scene, { plan, proxies }: ClusterHost): Promise<Struck> {
  const atMs = nowMs();
  for (const proxy of proxies) proxy.rule('both', { swallow: true });
  const heal = async (): Promise<void> => {
    await scene.load.assignment(isWithout(plan.name));
    for (const proxy of proxies) {
      proxy.cut();
      proxy.heal();
    }
  };
  return { atMs, redelivers: true, whom: plan.name, heal };
}

async function cutFromHosts({ load, isShort }: Scene, { plan, directory }: ClusterHost): Promise<Struck> {
  const file = join(directory, 'network');
  const atMs = nowMs();
  writeFileSync(file, isShort ? 'refused' : 'lost');
  const heal = async (): Promise<void> => {
    await load.assignment(isWithout(plan.name));
    await rm(file);
  };
  return { atMs, redelivers: true, whom: plan.name, heal };
}

/** One server after the other, and one host after the other, ended in good order and started again. */
async function rolling({ cluster, load }: Scene): Promise<Struck> {
  const atMs = nowMs();
  await rollingRestart(cluster.ensemble);
  for (const name of cluster.names) {
    await cluster.host(name).command.stop();
    await cluster.startAgain(name);
    await cluster.complete();
    await load.flows();
  }
  return { atMs, redelivers: false, whom: 'all' };
}

async function server(scene: Scene, which: 'leader' | 'follower'): Promise<Struck> {
  const { ensemble } = scene.cluster;
  const atMs = nowMs();
  await ensemble.kill(which);
  return { atMs, redelivers: false, whom: which, heal: async () => await bringBack(ensemble) };
}

async function everyServer({ cluster, load, awayMs }: Scene): Promise<Struck> {
  const before = await load.assignment();
  const atMs = nowMs();
  await allAway(cluster.ensemble, awayMs);
  await cluster.complete();
  const after = await load.assignment();
  const isAsItWas =
    after.revision === before.revision && JSON.stringify(after.places) === JSON.stringify(before.places);
  return { atMs, redelivers: false, whom: 'all', wrong: isAsItWas ? [] : ['it was moved for nothing'] };
}

/** A host of another version joins: it takes part in nothing that others run. */
async function foreigner(scene: Scene): Promise<Struck> {
  const { cluster, load } = scene;
  const name = 'foreign';
  await cluster.add({ name, isForeign: true });
  await cluster.complete();
  const member = await memberOf(scene);
  const atMs = nowMs();
  await member.command.killBoth();
  const { places } = await load.assignment(isWithout(member.plan.name));
  const wrong = places.some(({ host }) => host === name) ? [`${name} was given workers of the others`] : [];
  const known = await cluster.client(member.plan.name).hosts();
  const isMarked = /protocol/.test(known.find(({ host }) => host === name)?.problem ?? '');
  if (!isMarked) wrong.push(`nobody is told why ${name} is apart`);
  const heal = async (): Promise<void> => {
    await cluster.remove(name);
    await cluster.startAgain(member.plan.name);
  };
  return { atMs, redelivers: true, whom: member.plan.name, heal, wrong };
}

const PROCESS_GOAL_MS = 1_000;

/** @param sessionTimeoutMs - of the hosts */
export function clusterFaults(sessionTimeoutMs: number): readonly Fault[] {
  const afterSession = sessionTimeoutMs + 1_000;
  return [
    {
      name: 'kill -9 the process of a host that has workers',
      goalMs: PROCESS_GOAL_MS,
      strike: async (scene) => await killedProcess(scene, (await memberOf(scene)).plan.name),
    },
    {
      name: 'kill -9 the process of the lead',
      goalMs: PROCESS_GOAL_MS,
      strike: async (scene) => await killedProcess(scene, (await partsOf(scene)).lead),
    },
    {
      name: 'kill -9 the process of the master',
      isLong: true,
      goalMs: PROCESS_GOAL_MS,
      strike: async (scene) => await killedProcess(scene, (await partsOf(scene)).master),
    },
    {
      name: 'kill one worker thread',
      goalMs: PROCESS_GOAL_MS,
      strike: async (scene) => {
        const { command, plan } = await memberOf(scene);
        const pid = command.childPid!;
        const here = scene.load.tasks('pass').some((task) => task.pid === pid);
        const atMs = await scene.load.endWorker(here ? pid : scene.load.tasks('pass')[0]!.pid);
        return { atMs, redelivers: true, whom: here ? plan.name : 'another' };
      },
    },
    {
      name: 'kill -9 a host that has workers, with its parent',
      goalMs: afterSession,
      isLong: true,
      strike: async (scene) => await killedMachine(scene, await memberOf(scene)),
    },
    {
      name: 'kill -9 the lead, with its parent',
      goalMs: afterSession,
      strike: async (scene) => await killedMachine(scene, scene.cluster.host((await partsOf(scene)).lead)),
    },
    {
      name: 'kill -9 the master, with its parent',
      goalMs: afterSession,
      isLong: true,
      strike: async (scene) => await killedMachine(scene, scene.cluster.host((await partsOf(scene)).master)),
    },
    {
      name: 'SIGSTOP a host for longer than its session, SIGCONT',
      goalMs: afterSession,
      strike: async (scene) => await stopped(scene, await memberOf(scene)),
    },
    {
      name: 'SIGSTOP the lead for longer than its session, SIGCONT',
      goalMs: afterSession,
      isLong: true,
      strike: async (scene) => await stopped(scene, scene.cluster.host((await partsOf(scene)).lead)),
    },
    { name: 'kill -9 a ZooKeeper follower', goalMs: null, strike: async (scene) => await server(scene, 'follower') },
    { name: 'kill -9 the ZooKeeper leader', goalMs: null, strike: async (scene) => await server(scene, 'leader') },
    { name: 'all ZooKeeper servers away', goalMs: null, strike: everyServer },
    {
      name: 'C54 a host cut off from ZooKeeper, not from its peers',
      goalMs: null,
      strike: async (scene) => await cutFromStore(scene, await memberOf(scene)),
    },
    {
      name: 'a host cut off from its peers, not from ZooKeeper',
      goalMs: null,
      strike: async (scene) => await cutFromHosts(scene, await memberOf(scene)),
    },
    { name: 'rolling restart of servers and hosts', goalMs: null, strike: rolling },
    { name: 'a host of another protocol joins, and one dies', goalMs: null, strike: foreigner },
  ];
}

/** Brings it about under load, and waits until all of that is processed. */
export async function inflict(
  fault: Fault,
  cluster: HostCluster,
  load: LoadOptions,
  sizes: Pick<Scene, 'awayMs' | 'isShort'>,
): Promise<Outcome> {
  // Who is placed first leads: so that it is not the master as well, which dies in a case of its own.
  await cluster.unseat(cluster.names[0]!);
  const running = await Load.start(cluster, load);
  const scene: Scene = { cluster, load: running, ...sizes };
  await running.spread();
  await running.flows();
  const { atMs, redelivers, whom, heal, wrong = [] } = await fault.strike(scene);
  const redeliveredMs = redelivers ? (await running.redelivered(atMs)) - atMs : null;
  await running.flows();
  await heal?.();
  const master = await cluster.complete();
  await running.flows();
  const silenceMs = running.silenceMs(atMs);
  return { whom, redeliveredMs, silenceMs, master, wrong, ...(await running.finish()) };
}
