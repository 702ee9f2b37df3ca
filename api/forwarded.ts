// How hosts of one cluster ask each other: like any client, with a header that keeps a request from going on to a third
// host. Any thread.

/** A request with this header is answered by the host that gets it, whoever runs the topology. */
export const FORWARDED = 'millrace-forwarded';

/** Where a host has that artifact. */
export function artifactPath(sha256: string): string {
  return `/api/v1/artifacts/${sha256}`;
}
