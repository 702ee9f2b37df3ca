// What the servers of an ensemble are told: how they are configured, and the text of their zoo.cfg. Everything is on
// loopback. A server runs in its own directory and names its files from there, because Java cannot open every path
// that a user can write. Pure.
//
//   DIR/ensemble.json      what is in state.ts
//   DIR/server-1/zoo.cfg   written anew at each start
//   DIR/server-1/data/     myid, snapshots, logs of transactions
//   DIR/server-1/server.log

/** The files with which servers show who they are. */
export interface EnsembleTls {
  /** A key with its certificate: `.p12`, `.jks` or `.pem`, by an absolute path. */
  readonly keyStore: string;
  readonly keyStorePassword: string;
  /** Certificates that clients must be signed by; without it no client is asked for one. */
  readonly trustStore?: string;
  readonly trustStorePassword?: string;
}

/** Other ports on 127.0.0.1 behind which a server is to be found: how a network between servers is put to the test. */
export interface EnsembleRoute {
  readonly quorumPort: number;
  readonly electionPort: number;
}

/** How all servers of an ensemble are configured. */
export interface EnsembleConfiguration {
  /** The unit of ZooKeeper's times, to which the end of a session is rounded up. */
  readonly tickMs: number;
  /** How long a server may take to join its leader. */
  readonly initMs: number;
  /** A server that its leader does not hear of for so long is left out. */
  readonly syncMs: number;
  /** Sessions have this timeout at least … */
  readonly sessionMinMs: number;
  /** … and this one at most. */
  readonly sessionMaxMs: number;
  /** Heap of each server. */
  readonly heapMegabytes: number;
  /** Whether a write is on disk before it is acknowledged; false is for tests. */
  readonly durable: boolean;
  /** Null: no port for TLS. */
  readonly tls: EnsembleTls | null;
  /** Where a server looks for another one, when that is not where it is: by the numbers of both, `1>2`. */
  readonly routes: Readonly<Record<string, EnsembleRoute>>;
  /** Further lines of zoo.cfg. */
  readonly settings: Readonly<Record<string, string>>;
}

/** One server and its ports on 127.0.0.1. */
export interface EnsembleServer {
  /** From 1. */
  readonly id: number;
  readonly clientPort: number;
  /** Where followers talk to it when it leads. */
  readonly quorumPort: number;
  /** Where votes go. */
  readonly electionPort: number;
  /** For clients with TLS, or null. */
  readonly securePort: number | null;
}

/** All servers of an ensemble are on this address. */
export const ENSEMBLE_HOST = '127.0.0.1';

/** Whole ticks, at least one. */
const ticks = (ms: number, tickMs: number): number => Math.max(1, Math.ceil(ms / tickMs));

/** The text of the zoo.cfg of one of these servers. */
export function configurationText(
  { tickMs, initMs, syncMs, sessionMinMs, sessionMaxMs, tls, routes, settings }: EnsembleConfiguration,
  servers: readonly EnsembleServer[],
  server: EnsembleServer,
): string {
  const lines: Record<string, string | number> = {
    tickTime: tickMs,
    initLimit: ticks(initMs, tickMs),
    syncLimit: ticks(syncMs, tickMs),
    minSessionTimeout: sessionMinMs,
    maxSessionTimeout: sessionMaxMs,
    dataDir: './data',
    clientPortAddress: ENSEMBLE_HOST,
    clientPort: server.clientPort,
    // Everybody comes from the same address here, of which 60 may come by default.
    maxClientCnxns: 0,
    // Its own port would be the same for every server.
    'admin.enableServer': 'false',
    '4lw.commands.whitelist': '*',
    standaloneEnabled: 'true',
    // The servers would write their configuration over.
    reconfigEnabled: 'false',
    extendedTypesEnabled: 'true',
    'autopurge.purgeInterval': 1,
    'autopurge.snapRetainCount': 3,
  };
  if (tls !== null && server.securePort !== null) {
    lines['secureClientPortAddress'] = ENSEMBLE_HOST;
    lines['secureClientPort'] = server.securePort;
    lines['serverCnxnFactory'] = 'org.apache.zookeeper.server.NettyServerCnxnFactory';
    lines['ssl.keyStore.location'] = tls.keyStore;
    lines['ssl.keyStore.password'] = tls.keyStorePassword;
    lines['ssl.clientAuth'] = tls.trustStore === undefined ? 'none' : 'need';
    if (tls.trustStore !== undefined) {
      lines['ssl.trustStore.location'] = tls.trustStore;
      lines['ssl.trustStore.password'] = tls.trustStorePassword ?? '';
    }
  }
  Object.assign(lines, settings);
  if (servers.length > 1) {
    for (const each of servers) {
      const { quorumPort, electionPort } = routes[`${server.id}>${each.id}`] ?? each;
      lines[`server.${each.id}`] = `${ENSEMBLE_HOST}:${quorumPort}:${electionPort}`;
    }
  }
  const text = Object.entries(lines).map(([key, value]) => `${key}=${escaped(String(value))}\n`);
  return text.join('');
}

/** As Java reads the values of properties: Latin-1, with backslashes. */
function escaped(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
