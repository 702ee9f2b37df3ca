// User code by the SHA-256 of its content: files in one directory, each named by its hash. Invariant: a file under its
// name is whole and hashes to it, because it was written beside, checked, synced and only then renamed; so any number
// of puts of the same content at once is fine, and a crash leaves at most a file of another name. Main thread.

import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../make-directory.js';
import { failure, isMillraceError, reasonOf } from '../../engine/errors.js';
import { ARTIFACT_BYTES_MAX } from '../../engine/limits.js';

/** What is stored under the SHA-256 of its content. */
export interface StoredArtifact {
  readonly sha256: string;
  readonly bytes: number;
  /** False when it was there already. */
  readonly created: boolean;
}

export interface ArtifactsOptions {
  readonly directory: string;
  /** Default `ARTIFACT_BYTES_MAX`. */
  readonly bytesMax?: number;
}

const NAME = /^([0-9a-f]{64})\.mjs$/;
const UNFINISHED = /^[0-9a-f]{64}\.[0-9a-f-]{36}\.part$/;

export class Artifacts {
  private readonly directory: string;
  private readonly bytesMax: number;
  /** Those that nobody needed at the last look. */
  private unused: ReadonlySet<string> = new Set();

  private constructor({ directory, bytesMax = ARTIFACT_BYTES_MAX }: ArtifactsOptions) {
    this.directory = directory;
    this.bytesMax = bytesMax;
  }

  /** Opens the directory, made when it is not there, and removes what a crash left unfinished. */
  static async open(options: ArtifactsOptions): Promise<Artifacts> {
    const artifacts = new Artifacts(options);
    await makeDirectory(options.directory);
    for (const name of await readdir(options.directory)) {
      if (UNFINISHED.test(name)) await rm(join(options.directory, name), { force: true });
    }
    return artifacts;
  }

  /**
   * Keeps the content under its hash. What is wrong with it is found before anything can be seen under that name.
   *
   * @param check - sees the whole file before it gets its name, and throws when it is no good
   * @throws MILLRACE_ARTIFACT_NAME, MILLRACE_ARTIFACT_HASH, MILLRACE_ARTIFACT_TOO_LARGE, MILLRACE_ARTIFACT_WRITE, and
   * what `content` and `check` throw
   */
  async put(
    sha256: string,
    content: AsyncIterable<Uint8Array>,
    check?: (path: string) => Promise<void>,
  ): Promise<StoredArtifact> {
    const path = this.path(sha256);
    const part = join(this.directory, `${sha256}.${randomUUID()}.part`);
    try {
      const bytes = await this.write(sha256, part, content);
      await check?.(part);
      const created = (await this.size(sha256)) === null;
      await this.onDisk(sha256, async () => {
        await rename(part, path);
        await syncDirectory(this.directory);
      });
      // Put again, it counts as new.
      this.unused = new Set([...this.unused].filter((each) => each !== sha256));
      return { sha256, bytes, created };
    } catch (error) {
      await rm(part, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** Whether it is there. @throws MILLRACE_ARTIFACT_NAME */
  async has(sha256: string): Promise<boolean> {
    return (await this.size(sha256)) !== null;
  }

  /**
   * Its file, which is there.
   *
   * @throws MILLRACE_ARTIFACT_UNKNOWN, MILLRACE_ARTIFACT_NAME
   */
  async fileOf(sha256: string): Promise<string> {
    if (await this.has(sha256)) return this.path(sha256);
    throw failure('MILLRACE_ARTIFACT_UNKNOWN', { sha256 });
  }

  /**
   * Deletes those that are not needed, and were not at the call before either: one that was just put is about to be
   * named by a submission.
   *
   * @returns the hashes of what was deleted
   */
  async removeUnused(used: ReadonlySet<string>): Promise<readonly string[]> {
    const stored = (await readdir(this.directory)).flatMap((name) => NAME.exec(name)?.[1] ?? []);
    const unused = stored.filter((sha256) => !used.has(sha256));
    const removed = unused.filter((sha256) => this.unused.has(sha256));
    this.unused = new Set(unused.filter((sha256) => !removed.includes(sha256)));
    for (const sha256 of removed) await rm(this.path(sha256), { force: true });
    return removed;
  }

  private path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw failure('MILLRACE_ARTIFACT_NAME', { sha256: sha256.slice(0, 100) });
    return join(this.directory, `${sha256}.mjs`);
  }

  private async size(sha256: string): Promise<number | null> {
    try {
      return (await stat(this.path(sha256))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Writes what comes, as it comes; gives back its length. */
  private async write(sha256: string, part: string, content: AsyncIterable<Uint8Array>): Promise<number> {
    const hash = createHash('sha256');
    const file = await this.onDisk(sha256, () => open(part, 'wx'));
    let bytes = 0;
    try {
      for await (const chunk of content) {
        bytes += chunk.byteLength;
        if (bytes > this.bytesMax) {
          throw failure('MILLRACE_ARTIFACT_TOO_LARGE', { sha256, bytesMax: this.bytesMax });
        }
        hash.update(chunk);
        await this.onDisk(sha256, () => file.writeFile(chunk));
      }
      await this.onDisk(sha256, () => file.sync());
    } finally {
      await file.close();
    }
    const actual = hash.digest('hex');
    if (actual !== sha256) throw failure('MILLRACE_ARTIFACT_HASH', { sha256, actual });
    return bytes;
  }

  private async onDisk<T>(sha256: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (isMillraceError(error)) throw error;
      throw failure('MILLRACE_ARTIFACT_WRITE', { sha256, reason: reasonOf(error) }, { cause: error });
    }
  }
}

/** Makes the new name survive a loss of power, where the system can. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync().catch(() => undefined);
  await handle.close();
}
