// Bounds of the coordination that only work together.

import t from 'tap';
import * as limits from '../../engine/limits.js';

void t.test('what depends on another one', async (t) => {
  t.ok(limits.STORE_RETRY_MIN_MS <= limits.STORE_RETRY_MAX_MS);
  t.ok(limits.STORE_PIECE_BYTES <= limits.STORE_NODE_BYTES_MAX);
  t.ok(2 * limits.STORE_PIECE_BYTES + 100_000 <= limits.STORE_TRANSACTION_BYTES_MAX, 'two pieces and a wish');
  t.ok(limits.STORE_TRANSACTION_BYTES_MAX < limits.EMBEDDED_GROUP_BYTES_MAX);
  t.ok(3 * limits.FINAL_BYTES_MAX <= limits.STORE_NODE_BYTES_MAX, 'counts and a description in a line of the history');
});
