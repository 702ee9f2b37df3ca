// Each line marked `refused` must not compile, with an error that says what stands there; every other line must.

import { filter, map } from '../../../engine/connect/expression/index.js';
import { httpPoll } from '../../../engine/connect/http/index.js';
import { tcpLines } from '../../../engine/connect/tcp/index.js';
import { topology } from '../../../engine/index.js';
import { Either, Split } from '../accepted.js';

export const connected = topology('connected', (t) => {
  const lines = t.spout('lines', tcpLines({ port: 0, ack: true, idleTimeout: '5m' }));
  const split = t.bolt('split', filter({ where: 'line != ""' })).fields(lines, 'line', 'peer');
  t.bolt('wrong', filter({ where: 'true' })).fields(lines, 'lien'); // refused: not assignable to parameter of type
  t.bolt('words', Split).shuffle(lines); // refused: not assignable to parameter of type
  t.bolt('twice', map({ fields: { a: 'line', b: 'line + line' } })).shuffle(split);
  const records = t.spout('records', httpPoll({ url: 'http://localhost/', every: '1m', fields: ['id'] }));
  t.bolt('any', Either).fields(records, 'whatever');
});

tcpLines({}); // refused: 'port' is missing
tcpLines({ port: '7000' }); // refused: not assignable to type 'number'
filter({ were: 'a > 1' }); // refused: 'were' does not exist
map({ fields: { a: 1 } }); // refused: not assignable to type 'string'
httpPoll({ url: 'http://localhost/' }); // refused: 'every' is missing
