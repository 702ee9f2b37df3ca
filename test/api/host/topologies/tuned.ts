// A bolt that prints what it is given with the factor that holds for it, and each factor that it is told of.

import { Bolt, topology, type BoltContext, type ParameterValues, type Tuple } from 'millrace';
import { ingest } from 'millrace/connect/ingest';

class Scale extends Bolt {
  private context!: BoltContext;

  override async prepare(context: BoltContext): Promise<void> {
    this.context = context;
    context.logger.debug('prepared');
    await context.print(`begins with ${JSON.stringify(context.parameters)}`);
  }

  async execute(tuple: Tuple<[what: string]>): Promise<void> {
    if (tuple.values[0] === 'die') process.exit(3);
    await this.context.print(`${tuple.values[0]} ${JSON.stringify(this.context.parameters['factor'])}`);
  }

  override async parametersChanged({ factor }: ParameterValues): Promise<void> {
    if (factor === 'bad') throw new RangeError('no such factor');
    await this.context.print(`told of ${JSON.stringify(factor)}`);
  }
}

export default topology('tuned', (t) => {
  t.bolt('scale', Scale).shuffle(t.spout('records', ingest({ fields: ['what'] })));
});
