// From what a caller gives to what is wished: the definition is read once, in a throw-away thread, and checked; only
// then is it kept. Few at a time, because each takes a thread. Main thread.

import type { Artifacts } from '../../coordination/artifacts/artifacts.js';
import type { NewTopology } from '../../coordination/topologies.js';
import type { Payload } from '../../coordination/topology-records.js';
import { isMillraceError, type Problem } from '../../engine/errors.js';
import { DEFINITIONS_AT_ONCE } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import type { TopologyDescription } from '../../engine/model/describe.js';
import { topologyInvalid } from '../../engine/model/problems.js';
import type { TopologySource } from '../../engine/worker/module.js';
import { pathToFileURL } from 'node:url';
import { readDefinition } from '../definition.js';
import { confinementProblems } from './confinement.js';

export interface SubmissionsOptions {
  /** Where bundles come from. */
  readonly artifacts: Pick<Artifacts, 'fileOf'>;
  readonly logger: Logger;
  readonly filesDirectory: string | null;
}

/** A topology to be kept: its source, and whether it came from outside. */
export type NewSource = Pick<Payload, 'source' | 'settings' | 'posted'>;

export class Submissions {
  private readonly options: SubmissionsOptions;
  private reading = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly closed = new AbortController();
  private quiet: () => void = () => undefined;

  constructor(options: SubmissionsOptions) {
    this.options = options;
  }

  /**
   * Reads and checks it.
   *
   * @throws MILLRACE_TOPOLOGY_INVALID with every problem, MILLRACE_ARTIFACT_UNKNOWN, and what reading a definition
   * throws
   */
  async read(given: NewSource, active: boolean, submittedAtMs: number): Promise<NewTopology> {
    this.closed.signal.throwIfAborted();
    const source = await this.sourceOf(given);
    const problems = given.posted ? await this.outside(given) : [];
    const description = await this.definition(given, source, problems);
    const artifact = artifactOf(given.source);
    return {
      ...given,
      description,
      workers: description.config.workers,
      artifacts: artifact === null ? [] : [artifact],
      active,
      submittedAtMs,
    };
  }

  /** Ends what is being read, with that error; resolves when no thread is left. */
  async close(reason: Error): Promise<void> {
    this.closed.abort(reason);
    if (this.reading > 0) await new Promise<void>((resolve) => (this.quiet = resolve));
  }

  /** Where threads load it from. @throws MILLRACE_ARTIFACT_UNKNOWN */
  async sourceOf({ source, settings }: Pick<Payload, 'source' | 'settings'>): Promise<TopologySource> {
    const artifact = artifactOf(source);
    const url = artifact === null ? null : pathToFileURL(await this.options.artifacts.fileOf(artifact)).href;
    if (source.kind === 'module') return { kind: 'module', url: source.url, settings };
    if (source.kind === 'artifact') return { kind: 'module', url: url!, settings };
    const { document } = source;
    return url === null
      ? { kind: 'document', document, settings }
      : { kind: 'document', document, settings, artifactUrl: url };
  }

  private async definition(
    given: NewSource,
    source: TopologySource,
    problems: readonly Problem[],
  ): Promise<TopologyDescription> {
    await this.turn();
    let description: TopologyDescription;
    try {
      description = await readDefinition(source, {
        file: fileOf(given.source),
        signal: this.closed.signal,
        onOutput: (text) => this.options.logger.debug(text.trimEnd()),
      });
    } catch (error) {
      throw withProblems(error, nameOf(given.source), problems);
    } finally {
      this.handOver();
    }
    if (problems.length > 0) throw topologyInvalid(description.name, problems);
    return description;
  }

  private async outside({ source, settings }: NewSource): Promise<readonly Problem[]> {
    if (source.kind !== 'document') return [];
    return await confinementProblems(source.document, settings, this.options.filesDirectory);
  }

  private async turn(): Promise<void> {
    if (this.reading < DEFINITIONS_AT_ONCE) this.reading++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** The turn of the next one, which takes the place of the one that ends. */
  private handOver(): void {
    const next = this.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    this.reading--;
    if (this.reading === 0) this.quiet();
  }
}

function artifactOf(source: Payload['source']): string | null {
  if (source.kind === 'artifact') return source.artifact;
  if (source.kind === 'module') return null;
  const { document } = source;
  if (typeof document !== 'object' || document === null || !('artifact' in document)) return null;
  const { artifact } = document;
  return typeof artifact === 'string' && /^[0-9a-f]{64}$/.test(artifact) ? artifact : null;
}

/** The name in a document, which nobody has checked. */
function nameOf(source: Payload['source']): string {
  if (source.kind !== 'document' || typeof source.document !== 'object' || source.document === null) return 'unnamed';
  return 'name' in source.document && typeof source.document.name === 'string' ? source.document.name : 'unnamed';
}

function fileOf(source: Payload['source']): string {
  if (source.kind === 'module') return source.url;
  if (source.kind === 'artifact') return source.file ?? source.artifact.slice(0, 12);
  return 'the document';
}

/** Those of the definition itself and those of its files, in one error. */
function withProblems(error: unknown, name: string, more: readonly Problem[]): unknown {
  if (more.length === 0 || !isMillraceError(error) || error.code !== 'MILLRACE_TOPOLOGY_INVALID') return error;
  return topologyInvalid(name, [...error.problems, ...more]);
}
