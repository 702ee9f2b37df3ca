// What is found wrong with the certificate of a host before it starts; that what is taken makes a link, the tests of
// links show.

import { connect, type AddressInfo } from 'node:net';
import t from 'tap';
import { checkCertificates } from '../../../api/host/certificates.js';
import { dial, listener, type TlsIdentity } from '../../../engine/link/tcp/secure.js';
import { identity, stranger } from '../../engine/link/tcp/certificates.js';
import { key, leaf, middle, root, serverOnly } from './chain.js';

const NOW_MS = Date.UTC(2030, 0);

function reasonOf(tls: TlsIdentity, nowMs = NOW_MS): string {
  try {
    checkCertificates(tls, nowMs);
    return 'none';
  } catch (error) {
    const { code, message } = error as { readonly code: string; readonly message: string };
    return `${code}: ${message}`;
  }
}

t.test('a certificate of the authority is taken, also by way of another one', (t) => {
  t.equal(reasonOf(identity), 'none');
  for (const [cert, ca] of [
    [leaf + middle, root],
    [leaf, middle + root],
    [leaf + middle + root, root],
    [leaf + middle, stranger.ca + root],
  ] as const) {
    t.equal(reasonOf({ key, cert, ca }), 'none');
  }
  t.end();
});

t.test('what others would refuse is refused before, with the reason', (t) => {
  const refused = (tls: TlsIdentity, reason: RegExp, nowMs?: number): void => {
    t.match(reasonOf(tls, nowMs), reason);
  };
  const begins = /^MILLRACE_HOST_CERTIFICATE: the certificate "CN=(host|leaf|server)" of this host cannot be used: /;
  refused({ ...identity, key: stranger.key }, new RegExp(`${begins.source}the key is that of another certificate$`));
  refused({ ...identity, ca: stranger.ca }, new RegExp(`${begins.source}no authority that was given has signed it$`));
  refused({ key, cert: leaf, ca: root }, /no authority that was given has signed it$/);
  refused({ key, cert: leaf + middle, ca: middle }, /no authority that was given has signed "CN=mid" above it$/);
  refused(
    { key, cert: leaf + middle + root, ca: stranger.ca },
    /no authority that was given has signed "CN=root" above/,
  );
  refused({ key, cert: serverOnly, ca: root }, /it is not for clients, and a host is both server and client$/);
  refused(identity, /it was valid until \w+ .* 2126 GMT$/, Date.UTC(2200, 0));
  refused({ key, cert: leaf + middle, ca: root }, /: "CN=root" above it: it was valid until/, Date.UTC(2120, 0));
  refused(identity, /it is valid only from \w+ .* 2026 GMT$/, Date.UTC(2020, 0));
  t.end();
});

t.test('what is no certificate is an option that is wrong', (t) => {
  for (const tls of [
    { ...identity, cert: '' },
    { ...identity, ca: 'none' },
    { ...identity, key: 'no key' },
    { ...identity, cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
  ]) {
    t.match(reasonOf(tls), /^MILLRACE_HOST_OPTION: .*links\.tls/);
  }
  t.end();
});

t.test('what is taken makes a link, and what is not for clients makes none', async (t) => {
  const server = listener({ key, cert: leaf + middle, ca: root }, 5_000, () => undefined);
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const address = { host: '127.0.0.1', port };
  const admitted = new Promise<string>((resolve) => server.once('secureConnection', () => resolve('admitted')));
  const friend = dial({ key, cert: leaf + middle, ca: root }, address);
  t.equal(await admitted, 'admitted');
  friend.destroy();
  const wrong = dial({ key, cert: serverOnly, ca: root }, address);
  wrong.on('error', () => undefined).resume();
  const closed = new Promise<string>((resolve) => wrong.once('close', () => resolve('closed')));
  const again = new Promise<string>((resolve) => server.once('secureConnection', () => resolve('admitted')));
  t.equal(await Promise.race([closed, again]), 'closed');
  const plain = connect(address);
  plain.destroy();
});
