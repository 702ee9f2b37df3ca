// Who waits for something and may go away meanwhile: one listener a signal, however many calls share it, because a
// service may give the same signal to thousands. On the main thread.

export class Callers {
  private readonly calls = new Map<AbortSignal, Map<object, (reason: unknown) => void>>();

  /** Has that called once when the signal is aborted; gives what takes it back. */
  watch(signal: AbortSignal | undefined, gone: (reason: unknown) => void): () => void {
    if (signal === undefined) return () => undefined;
    const key = {};
    let calls = this.calls.get(signal);
    if (calls === undefined) {
      calls = new Map();
      this.calls.set(signal, calls);
      signal.addEventListener('abort', this.aborted, { once: true });
    }
    calls.set(key, gone);
    return () => this.forget(signal, key);
  }

  private forget(signal: AbortSignal, key: object): void {
    const calls = this.calls.get(signal);
    if (calls?.delete(key) !== true || calls.size > 0) return;
    this.calls.delete(signal);
    signal.removeEventListener('abort', this.aborted);
  }

  private readonly aborted = (event: Event): void => {
    const signal = event.target as AbortSignal;
    const calls = this.calls.get(signal);
    this.calls.delete(signal);
    for (const gone of calls?.values() ?? []) gone(signal.reason);
  };
}
