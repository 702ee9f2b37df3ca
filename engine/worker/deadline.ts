// How long a component's last calls may take: they are awaited, but never for ever. Real time, because it is about
// threads that are to end. On the worker's thread.

/**
 * The promise, or an error that names the call after that time.
 *
 * @throws what the promise rejects with
 */
export async function withDeadline(promise: Promise<void>, timeoutMs: number, call: string): Promise<void> {
  let timeout: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => reject(new Error(`${call} took longer than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timeout);
  }
}
