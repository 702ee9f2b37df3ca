// Lines leave one after the other, in the order in which they came.

import t from 'tap';
import { Printer } from '../../../engine/worker/printer.js';

t.test('a line is written when the one before it is, and then its worker hears so', async (t) => {
  const written: string[] = [];
  let open: () => void = () => undefined;
  const printer = new Printer(async (line) => {
    if (line === 'slow') await new Promise<void>((resolve) => (open = resolve));
    written.push(line);
  });
  printer.print(['a', 'slow'], () => written.push('(first)'));
  printer.print(['b'], () => written.push('(second)'));
  printer.print(['c']);
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(written, ['a']);
  open();
  await printer.written;
  t.strictSame(written, ['a', 'slow', '(first)', 'b', '(second)', 'c']);
});
