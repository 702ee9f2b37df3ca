// Where a host listens, and where the commands look for it, when nobody says otherwise. Apart from what needs it, so
// that the help of the commands loads nothing else. Pure.

export const DEFAULT_LISTEN = '127.0.0.1:7070';
export const DEFAULT_HOST_URL = `http://${DEFAULT_LISTEN}`;

/** Where `millrace cluster` keeps a cluster when nobody says otherwise, in the current directory. */
export const CLUSTER_DIRECTORY = 'millrace-cluster';
