// Asks a thread that does not let go where it stands: pauses it by the inspector, which interrupts JavaScript that
// spins, and has it say its stack and what memory it holds outside of its heap. Only done to a thread that is about to
// be ended. A thread inside of native code does not answer.
//
// On the main thread; the inspector cannot be asked for its own.

import { EXAMINE_TIMEOUT_MS } from '../../limits.js';

/** What a thread said of itself. */
export interface Examined {
  /** Where it stands, in the user's source; it begins with the frame, without a first line of its own. */
  readonly stack: string;
  readonly externalBytes: number;
}

/** Evaluated in the frame in which the thread was paused. */
const EXPRESSION = `(() => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return JSON.stringify({ stack, externalBytes: process.memoryUsage().external });
})()`;
/** Of the expression itself and the function around it. */
const FRAMES_OF_OURS = 2;

interface Protocol {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly callFrames?: readonly { readonly callFrameId: string }[] };
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

/**
 * Where the thread of that number stands, or null when it did not say in time. It goes on afterwards. While somebody
 * debugs the process, a thread may stand because he wants it to.
 */
export async function examineThread(
  threadId: number,
  timeoutMs = EXAMINE_TIMEOUT_MS,
): Promise<Examined | 'debugged' | null> {
  const inspector = await import('node:inspector').catch(() => null);
  if (inspector === null) return null;
  if (inspector.url() !== undefined) return 'debugged';
  const session = new inspector.Session();
  session.connect();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve) => {
      timer = setTimeout(() => resolve(null), timeoutMs);
      follow(session, threadId, resolve);
    });
  } finally {
    clearTimeout(timer);
    session.disconnect();
  }
}

function follow(
  session: import('node:inspector').Session,
  threadId: number,
  resolve: (examined: Examined | null) => void,
): void {
  let target: string | null = null;
  let nextId = 1;
  let evaluation = 0;
  const tell = (method: string, params: object = {}): number => {
    const id = nextId++;
    const message = JSON.stringify({ id, method, params });
    session.post('NodeWorker.sendMessageToWorker', { sessionId: target!, message });
    return id;
  };
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    // Its `workerId` only counts what this session was shown.
    if (!params.workerInfo.title.startsWith(`[worker ${threadId}]`)) return;
    target = params.sessionId;
    tell('Debugger.enable');
    tell('Debugger.pause');
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    if (params.sessionId !== target) return;
    const message = JSON.parse(params.message) as Protocol;
    const frame = message.method === 'Debugger.paused' ? message.params?.callFrames?.[0] : undefined;
    if (frame !== undefined) {
      const { callFrameId } = frame;
      evaluation = tell('Debugger.evaluateOnCallFrame', { callFrameId, expression: EXPRESSION, returnByValue: true });
    } else if (message.id === evaluation && evaluation > 0) {
      tell('Debugger.resume');
      resolve(read(message.result?.result?.value));
    }
  });
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
}

function read(value: unknown): Examined | null {
  if (typeof value !== 'string') return null;
  const { stack, externalBytes } = JSON.parse(value) as Examined;
  return {
    stack: stack
      .split('\n')
      .slice(1 + FRAMES_OF_OURS)
      .join('\n'),
    externalBytes,
  };
}
