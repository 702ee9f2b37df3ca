// When something was so, in revisions of the store: whether it was at some moment since another one.

interface Span {
  isSo: boolean;
  /** Which changes began and ended it last. */
  beganAt: number;
  endedAt: number;
}

export class Spans {
  private readonly spans = new Map<string, Span>();
  private readonly isSoAtFirst: boolean;

  /** @param isSoAtFirst - whether it is so as long as nothing was said */
  constructor(isSoAtFirst: boolean) {
    this.isSoAtFirst = isSoAtFirst;
  }

  /** Whether that is anything new. What ends in the change in which it began was never so: nobody saw it. */
  set(key: string, isSo: boolean, revision: number): boolean {
    const span = this.spans.get(key) ?? { isSo: this.isSoAtFirst, endedAt: 0, beganAt: 0 };
    this.spans.set(key, span);
    if (span.isSo === isSo) return false;
    span.isSo = isSo;
    if (isSo) span.beganAt = revision;
    else if (span.beganAt !== revision) span.endedAt = revision;
    return true;
  }

  /** Whether it was so at some moment since that change. */
  was(key: string, since: number): boolean {
    const span = this.spans.get(key);
    if (span === undefined) return this.isSoAtFirst;
    return span.isSo || span.endedAt > since;
  }
}
