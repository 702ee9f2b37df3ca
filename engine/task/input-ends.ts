// Which source tasks of a bolt task have sent their end marker. A marker carries the revision of the wiring at which it
// was sent. When sources start again at some revision, ends of older revisions do not count, however late they arrive,
// and ends of newer ones do, even if they came before this worker heard of it. Sources come and go when the topology is
// rebalanced; one that goes sends its end too, behind the last tuple.

export class InputEnds {
  private readonly open: Set<number>;
  private readonly sources: Set<number>;
  private readonly endedAt = new Map<number, number>();
  private readonly validFrom = new Map<number, number>();

  constructor(sources: readonly number[]) {
    this.sources = new Set(sources);
    this.open = new Set(sources);
  }

  /** Every source has ended. */
  get ended(): boolean {
    return this.open.size === 0;
  }

  /** The tasks that this one takes from. */
  get all(): ReadonlySet<number> {
    return this.sources;
  }

  /** It takes from that task too. */
  add(source: number): void {
    if (this.sources.has(source)) return;
    this.sources.add(source);
    this.open.add(source);
  }

  /** Nothing more comes from that task, nor is to be known of it. */
  drop(source: number): void {
    this.sources.delete(source);
    this.open.delete(source);
    this.endedAt.delete(source);
    this.validFrom.delete(source);
  }

  /** It is gone, and if its end has come, nothing more is to be known of it. */
  dropEnded(source: number): void {
    if (!this.open.has(source)) this.drop(source);
  }

  end(source: number, revision: number): void {
    if (!this.sources.has(source)) return;
    this.endedAt.set(source, Math.max(revision, this.endedAt.get(source) ?? 0));
    if (revision >= (this.validFrom.get(source) ?? 0)) this.open.delete(source);
  }

  /** Those sources run again as of that revision. */
  forget(sources: ReadonlySet<number>, revision: number): void {
    for (const source of sources) {
      if (!this.sources.has(source)) continue;
      this.validFrom.set(source, revision);
      if ((this.endedAt.get(source) ?? -1) < revision) this.open.add(source);
    }
  }
}
