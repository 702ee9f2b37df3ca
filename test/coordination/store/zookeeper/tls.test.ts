// The store on a ZooKeeper that wants TLS, and a certificate of its clients: who it takes, and what the others are
// told.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import { runningEnsemble } from '../../ensemble/running.js';

void t.test('TLS on both sides', async (t) => {
  const keys = t.testdir();
  const password = 'secret';
  const keytool = (...args: readonly string[]): string => execFileSync('keytool', args, { encoding: 'utf8' });
  const store = (name: string): readonly string[] => [
    ...['-storetype', 'PKCS12', '-storepass', password, '-keystore', join(keys, `${name}.p12`)],
  ];
  const certificates = ['server', 'client'].map((name) => {
    const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', `CN=${name}`];
    keytool('-genkeypair', '-alias', name, ...key, '-ext', 'SAN=DNS:localhost', ...store(name));
    return keytool('-exportcert', '-rfc', '-alias', name, ...store(name));
  });
  const client = join(keys, 'client.pem');
  keytool('-exportcert', '-rfc', '-alias', 'client', '-file', client, ...store('client'));
  keytool('-importcert', '-noprompt', '-alias', 'client', '-file', client, ...store('trust'));
  const ensemble = await runningEnsemble(t, {
    servers: 1,
    tls: {
      keyStore: join(keys, 'server.p12'),
      keyStorePassword: password,
      trustStore: join(keys, 'trust.p12'),
      trustStorePassword: password,
    },
  });
  const { connectString: plain, secureConnectString: secure } = ensemble;
  const ca = certificates[0]!;
  const pfx = readFileSync(join(keys, 'client.p12'));
  const own = { ca, pfx, passphrase: password, servername: 'localhost' };
  const options = { timeoutMs: 2000 };
  const session = await new ZookeeperStore({ servers: `${secure}/tls`, tls: own }).connect(options);
  await session.create('/a', Buffer.from('over TLS'));
  t.equal(Buffer.from((await session.get('/a')).data).toString(), 'over TLS');
  t.equal(await session.end(), 'closed');

  const refused = async (servers: string, tls: object | null, message: RegExp): Promise<void> => {
    const trying = new ZookeeperStore({ servers, ...(tls === null ? {} : { tls }) });
    await t.rejects(trying.connect({ timeoutMs: 700 }), { code: 'MILLRACE_STORE_UNAVAILABLE', message });
  };
  await refused(secure!, { ...own, ca: certificates[1]! }, /self-signed certificate/);
  await refused(secure!, { ...own, servername: 'elsewhere' }, /does not match certificate's altnames/);
  await refused(secure!, { ca, servername: 'localhost' }, /no session within 700 ms: .*(certificate|closed|reset)/i);
  await refused(secure!, null, /no session within 700 ms: .*(sent a packet|closed|reset)/);
  await refused(plain, own, /no session within 700 ms/);
  t.throws(() => new ZookeeperStore({ servers: secure!, tls: { pfx, passphrase: 'wrong' } }), {
    code: 'MILLRACE_ZOOKEEPER_OPTION',
  });
});
