// What a host is told about how others reach it: what is refused, and what is opened.

import { join } from 'node:path';
import t from 'tap';
import { openDoor } from '../../../api/host/open-door.js';
import type { LinkOptions } from '../../../api/host/options.js';
import { readLinks } from '../../../api/cli/links.js';
import type { LinkFlags } from '../../../api/cli/host-messages.js';
import { RealClock } from '../../../engine/clock.js';
import { identity, stranger } from '../../engine/link/tcp/certificates.js';
import { codeOf } from './hosts.js';

const open = async (links: LinkOptions) => await openDoor(links, new RealClock(), () => undefined);
const none: LinkFlags = { address: null, ports: null, secretFile: null, tlsKey: null, tlsCert: null, tlsCa: null };

t.test('on loopback nothing is needed; elsewhere a secret or certificates', async (t) => {
  const plain = await open({});
  t.match(plain, { address: /^127\.0\.0\.1:\d+$/, reach: { secret: '', tls: null } });
  plain.door.close();
  const six = await open({ address: '::1' }).catch(() => null);
  if (six !== null) t.match(six.address, /^\[::1\]:\d+$/);
  six?.door.close();
  for (const links of [
    { address: '0.0.0.0' },
    { address: '192.0.2.1' },
    { address: 'this-machine' },
    { secret: 'short' },
    { ports: [9, 3] },
    { ports: [0, 70_000] },
    { tls: { ...identity, key: 'no key' } },
  ] as const) {
    t.equal(await codeOf(open(links)), 'MILLRACE_HOST_OPTION', JSON.stringify(links));
  }
  t.equal(await codeOf(open({ tls: { ...identity, ca: stranger.ca } })), 'MILLRACE_HOST_CERTIFICATE');
  const secret = 'a secret that is long enough';
  for (const links of [{ secret }, { tls: identity }]) {
    // No address of this machine: it may be listened on, but is not there.
    t.equal(await codeOf(open({ address: '192.0.2.1', ...links })), 'MILLRACE_PROCESSES_LISTEN');
  }
});

t.test('secrets and certificates come from files', async (t) => {
  const files = { secret: ' a secret that is long enough \n', empty: '\n', key: 'K', cert: 'C', ca: 'A' };
  const directory = t.testdir({ ...files, large: 'x'.repeat(300_000) });
  const at = (name: string): string => join(directory, name);
  t.strictSame(await readLinks(none), { ports: null, tls: null });
  const all = { ...none, address: '10.0.0.1', ports: [1, 2] as const, secretFile: at('secret') };
  t.strictSame(await readLinks({ ...all, tlsKey: at('key'), tlsCert: at('cert'), tlsCa: at('ca') }), {
    ...{ address: '10.0.0.1', ports: [1, 2], secret: 'a secret that is long enough' },
    tls: { key: 'K', cert: 'C', ca: 'A' },
  });
  for (const flags of [
    { secretFile: at('empty') },
    { secretFile: at('missing') },
    { secretFile: at('large') },
    { tlsKey: at('key') },
    { tlsKey: at('key'), tlsCert: at('cert'), tlsCa: at('missing') },
  ]) {
    t.equal(await codeOf(readLinks({ ...none, ...flags })), 'MILLRACE_HOST_OPTION', JSON.stringify(flags));
  }
});
