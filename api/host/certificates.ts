// What a host is told to show of itself to others, checked before it starts: a certificate that nobody would take is
// found out here, and not as links that never come about. Main thread.
//
//   certificate ─ signed by ─► others of its file ─ signed by ─► an authority that signed itself

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { failure, reasonOf } from '../../engine/errors.js';
import type { TlsIdentity } from '../../engine/link/tcp/secure.js';

/** Both ends of a link show theirs, so each host is server and client. */
const PURPOSES = [
  ['1.3.6.1.5.5.7.3.1', 'servers'],
  ['1.3.6.1.5.5.7.3.2', 'clients'],
] as const;

const PEM_CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * Checks that others of the cluster will take it.
 *
 * @param nowMs - milliseconds since the epoch
 * @throws MILLRACE_HOST_OPTION when it cannot be read; MILLRACE_HOST_CERTIFICATE
 */
export function checkCertificates(tls: TlsIdentity, nowMs: number): void {
  const { own, above, authorities } = read(tls);
  const subject = own.subject.replaceAll('\n', ', ');
  const wrong = wrongWithKey(own, tls.key) ?? wrongWithPurpose(own) ?? wrongWithChain(own, above, authorities, nowMs);
  if (wrong !== null) throw failure('MILLRACE_HOST_CERTIFICATE', { subject, reason: wrong });
  try {
    createSecureContext(tls);
  } catch (error) {
    throw unreadable(error);
  }
}

interface Certificates {
  readonly own: X509Certificate;
  /** Those that came with it. */
  readonly above: readonly X509Certificate[];
  readonly authorities: readonly X509Certificate[];
}

function read({ cert, ca }: TlsIdentity): Certificates {
  try {
    const [[own, ...above], authorities] = [certificatesIn(cert), certificatesIn(ca)];
    if (own === undefined || authorities.length === 0) throw new Error('there is no certificate in it');
    return { own, above, authorities };
  } catch (error) {
    throw unreadable(error);
  }
}

function certificatesIn(pem: string): readonly X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((each) => new X509Certificate(each));
}

function wrongWithKey(own: X509Certificate, key: string): string | null {
  let isOwn: boolean;
  try {
    isOwn = own.checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw unreadable(error);
  }
  return isOwn ? null : 'the key is that of another certificate';
}

/** One that says nothing of purposes is for all of them. */
function wrongWithPurpose({ keyUsage }: X509Certificate): string | null {
  // Node gives undefined where its types say that there always are some.
  const given = keyUsage as readonly string[] | undefined;
  const missing = PURPOSES.find(([id]) => given !== undefined && !given.includes(id));
  return missing === undefined ? null : `it is not for ${missing[1]}, and a host is both server and client`;
}

function wrongWithChain(
  own: X509Certificate,
  above: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  nowMs: number,
): string | null {
  const left = new Set([...above, ...authorities]);
  for (let each = own; ;) {
    const wrong = wrongWithTime(each, nowMs);
    if (wrong !== null) return each === own ? wrong : `${nameOf(each)} above it: ${wrong}`;
    if (authorities.includes(each) && isSignedBy(each, each)) return null;
    // Each once, so that those that sign each other in a circle end somewhere.
    const signer = [...left].find((other) => isSignedBy(each, other));
    if (signer === undefined) {
      return `no authority that was given has signed ${each === own ? 'it' : `${nameOf(each)} above it`}`;
    }
    left.delete(signer);
    each = signer;
  }
}

function wrongWithTime({ validFrom, validTo }: X509Certificate, nowMs: number): string | null {
  if (nowMs < Date.parse(validFrom)) return `it is valid only from ${validFrom}`;
  return nowMs > Date.parse(validTo) ? `it was valid until ${validTo}` : null;
}

function isSignedBy(certificate: X509Certificate, signer: X509Certificate): boolean {
  return certificate.checkIssued(signer) && certificate.verify(signer.publicKey);
}

function nameOf({ subject }: X509Certificate): string {
  return `"${subject.replaceAll('\n', ', ')}"`;
}

function unreadable(error: unknown): Error {
  const expected = 'a key, its certificate and an authority, as PEM';
  return failure('MILLRACE_HOST_OPTION', { option: 'links.tls', given: reasonOf(error), expected });
}
