// The word count with the heap sampler of V8 on in its worker: once it is warm, what is allocated is attributed to the
// functions that do it, collected or not, and printed when the spout is closed: `{ sentences, bytes: { place: bytes }
// }`.

import { Session, type HeapProfiler } from 'node:inspector';
import { topology, type Emit, type SpoutContext } from 'millrace';
import { Count, Split } from './bolts.js';
import { Sentences } from './spouts.js';

/** A mean distance in bytes between two samples: some thousand samples a second. */
const SAMPLING_BYTES = 32 * 1024;
const PLACE = /(?:.*\/)?((?:dist|node_modules)\/.*)/;

class SampledSentences extends Sentences {
  private readonly session = new Session();
  private context: SpoutContext | null = null;
  private emitted = 0;
  private sampleFrom = 0;

  override open(context: SpoutContext): void {
    super.open(context);
    this.context = context;
    this.sampleFrom = context.config['warmUp'] as number;
    this.session.connect();
  }

  override nextTuple(emit: Emit<[sentence: string]>): void {
    if (this.emitted++ === this.sampleFrom) {
      const flags = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
      this.session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLING_BYTES, ...flags });
    }
    super.nextTuple(emit);
  }

  override async close(): Promise<void> {
    const sentences = this.emitted - this.sampleFrom;
    let bytes: Readonly<Record<string, number>> = {};
    // A session in the own thread answers before `post` returns.
    this.session.post('HeapProfiler.stopSampling', (error, answer) => {
      if (error === null) bytes = bytesByPlace(answer.profile.head);
    });
    this.session.disconnect();
    await this.context!.print(JSON.stringify({ sentences, bytes }));
  }
}

function bytesByPlace(head: HeapProfiler.SamplingHeapProfileNode): Readonly<Record<string, number>> {
  const bytes: Record<string, number> = {};
  const visit = (node: HeapProfiler.SamplingHeapProfileNode): void => {
    const { functionName, url, lineNumber } = node.callFrame;
    const place = `${functionName === '' ? '(anonymous)' : functionName} ${PLACE.exec(url)?.[1] ?? url}:${lineNumber + 1}`;
    if (node.selfSize > 0) bytes[place] = (bytes[place] ?? 0) + node.selfSize;
    node.children.forEach(visit);
  };
  visit(head);
  return bytes;
}

export default topology('sampled-words', (t) => {
  const source = t.spout('source', SampledSentences, { config: { tracked: true, warmUp: 1_000_000 } });
  const split = t.bolt('split', Split).shuffle(source);
  t.bolt('count', Count).fields(split, 'word');
});
