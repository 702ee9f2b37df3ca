// Parameters: whatever JSON is given by proper keys is kept as it is, and nobody can change it any more.

import fc from 'fast-check';
import t from 'tap';
import { checkParameters, logLevelOf, NO_PARAMETERS, seenParameters } from '../../../engine/model/parameters.js';

const key = fc.stringMatching(/^[a-zA-Z0-9][\w.-]{0,20}$/).filter((each) => !each.startsWith('millrace.'));
const values = fc.dictionary(key, fc.jsonValue({ maxDepth: 5 }), { maxKeys: 6 });

function isFrozen(value: unknown): boolean {
  return (
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen))
  );
}

t.test('JSON is kept as it is, and frozen', async (t) => {
  fc.assert(
    fc.property(values, (given) => {
      const kept = checkParameters(given, 'the cluster');
      return isFrozen(kept) && JSON.stringify(kept) === JSON.stringify(given);
    }),
  );
  const given = { list: [1] };
  const kept = checkParameters(given, 'the cluster');
  given.list.push(2);
  t.strictSame(kept, { list: [1] }, 'a copy');
});

t.test('what a topology sets stands above what the cluster does, key by key', async (t) => {
  fc.assert(
    fc.property(values, values, (cluster, topology) => {
      const seen = seenParameters(cluster, topology);
      const keys = new Set([...Object.keys(cluster), ...Object.keys(topology)]);
      return (
        Object.keys(seen).length === keys.size &&
        [...keys].every((each) => seen[each] === (Object.hasOwn(topology, each) ? topology : cluster)[each])
      );
    }),
  );
  t.strictSame(seenParameters({ 'millrace.logLevel': 'debug' }, NO_PARAMETERS), {});
  t.equal(logLevelOf({ 'millrace.logLevel': 'debug' }), 'debug');
  t.equal(logLevelOf({}), null);
});
