// What the nemesis does: each fault is done, lasts, and is healed before it resolves. Sizes of time are parts of the
// session's timeout, because that is what the contenders have to bear.

import { setTimeout as sleep } from 'node:timers/promises';
import { isMillraceError } from '../../engine/errors.js';
import type { Random } from '../../engine/random.js';
import type { Contender, World } from './world.js';

export const FAULTS = [
  'kill the leading process',
  'stop the leading process',
  'black hole around the leading process',
  'kill the leading server',
  'kill a following server',
  'stop the leading server',
  'stop a following server',
  'all servers away',
] as const;

export type Fault = (typeof FAULTS)[number];

/** Does it and heals it; what cannot be done now, because nobody leads, is left out. */
export async function afflict(world: World, fault: Fault, random: Random): Promise<void> {
  const { sessionTimeoutMs } = world;
  const lasting = (from: number, to: number): Promise<void> =>
    sleep((from + random.nextFloat() * (to - from)) * sessionTimeoutMs);
  const someone = world.leader ?? world.contenders[random.nextBelow(world.contenders.length)]!;
  const begin = (target: string): void => world.note({ type: 'fault', fault, target });
  switch (fault) {
    case 'kill the leading process':
      begin(someone.who);
      await world.kill(someone);
      await lasting(0, 1);
      world.start(someone);
      break;
    case 'stop the leading process':
      begin(someone.who);
      await stopped(world, someone, () => lasting(1.7, 1.7));
      break;
    case 'black hole around the leading process':
      begin(someone.who);
      for (const relay of someone.relays) relay.swallow();
      await lasting(2, 2);
      for (const relay of someone.relays) relay.heal();
      break;
    case 'kill the leading server':
    case 'kill a following server': {
      const server = await world.ensemble
        .kill(fault === 'kill the leading server' ? 'leader' : 'follower')
        .catch(nobody);
      if (server === null) return;
      begin(`server ${server}`);
      await lasting(0.2, 1);
      await world.startServers();
      break;
    }
    case 'stop the leading server':
    case 'stop a following server': {
      const server = await world.ensemble
        .pause(fault === 'stop the leading server' ? 'leader' : 'follower')
        .catch(nobody);
      if (server === null) return;
      begin(`server ${server}`);
      await lasting(1, 2);
      await world.ensemble.resume(server);
      break;
    }
    case 'all servers away':
      begin('all');
      for (const { id } of await world.ensemble.status()) await world.ensemble.kill(id).catch(nobody);
      await lasting(0.5, 2);
      await world.startServers();
      break;
  }
  world.note({ type: 'healed', fault });
}

async function stopped(world: World, contender: Contender, lasting: () => Promise<void>): Promise<void> {
  const { who, child } = contender;
  child?.kill('SIGSTOP');
  world.note({ type: 'paused', whom: who });
  await lasting();
  world.note({ type: 'resumed', whom: who });
  child?.kill('SIGCONT');
}

function nobody(error: unknown): null {
  if (isMillraceError(error)) return null;
  throw error;
}
