// Bounds that only work together.

import t from 'tap';
import * as limits from '../../engine/limits.js';

const { httpLimits, runtimeLimits, tcpLinkLimits } = limits;

t.test('every bound is a positive whole number, or a share', async (t) => {
  const numbers = {
    ...{ ...limits, runtimeLimits: 1, httpLimits: 1, tcpLinkLimits: 1 },
    ...{ ...runtimeLimits, ...httpLimits, ...tcpLinkLimits },
  };
  for (const [name, value] of Object.entries(numbers)) {
    const isShare = /^FILL_|_SHARE$/.test(name);
    t.ok(isShare ? value > 0 && value <= 1 : Number.isSafeInteger(value) && value > 0, name);
  }
});

t.test('the largest tuple and a full batch fit into a frame, however much their text grows', async (t) => {
  const tracksBytes = runtimeLimits.batchTuplesMax * 16;
  t.ok(3 * limits.TUPLE_BYTES_MAX + 1024 < limits.FRAME_BYTES_MAX);
  t.ok(3 * runtimeLimits.batchBytesMax + tracksBytes < limits.FRAME_BYTES_MAX);
});

t.test('what two depend on', async (t) => {
  t.ok(runtimeLimits.sparseRootsMax <= runtimeLimits.openRootsMax);
  t.ok(runtimeLimits.batchTuplesMax <= runtimeLimits.linkSharedTuples);
  t.ok(runtimeLimits.batchBytesMax <= runtimeLimits.linkSharedBytes);
  t.ok(runtimeLimits.batchTuplesMax <= runtimeLimits.emitsPerCallMax);
  t.ok(runtimeLimits.channelReserveTuples <= runtimeLimits.batchTuplesMax);
  t.ok(limits.SPOUT_REST_MIN_MS <= limits.SPOUT_REST_MAX_MS);
  t.ok(limits.REPLAY_WAIT_MIN_MS <= limits.REPLAY_WAIT_MAX_MS);
  t.ok(limits.TASKS_MAX >= limits.WORKERS_MAX);
  t.ok(limits.FRAME_BYTES_MAX <= tcpLinkLimits.keptBytesMax);
  t.ok(tcpLinkLimits.handshakeMs < tcpLinkLimits.resumeMs);
  t.ok(tcpLinkLimits.retryMinMs <= tcpLinkLimits.retryMaxMs);
  t.ok(httpLimits.headersTimeoutMs <= httpLimits.requestTimeoutMs);
});
