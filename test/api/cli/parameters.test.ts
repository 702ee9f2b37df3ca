// `millrace parameters`: what it prints where, that others' keys stay, and what happens when somebody else is quicker.

import t, { type Test } from 'tap';
import { MillraceClient } from '../../../api/client/client.js';
import { parseParameter } from '../../../api/cli/arguments.js';
import { getParametersCommand, setParametersCommand, unsetParametersCommand } from '../../../api/cli/parameters.js';
import type { RemoteEnvironment } from '../../../api/cli/remote.js';
import { VirtualClock } from '../../../engine/clock.js';
import { INGESTING, type FakeHost } from '../fake-host.js';
import { serve } from '../http/served.js';
import { FakeStream } from './fakes.js';

class Place implements RemoteEnvironment {
  readonly stdout = new FakeStream();
  readonly stderr = new FakeStream();
  readonly clock = new VirtualClock();
  readonly env: Readonly<Record<string, string>>;

  constructor(url: string) {
    this.env = { ['MILLRACE_HOST']: url };
  }

  onSignal(): void {
    // None comes.
  }

  connect(url: string): MillraceClient {
    return new MillraceClient({ url });
  }
}

const plain = { host: null, json: false };
const json = { host: null, json: true };

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

async function start(t: Test): Promise<{
  readonly host: FakeHost;
  readonly run: (command: (place: Place) => Promise<number>) => Promise<Ran>;
}> {
  const { host, url } = await serve(t);
  const run = async (command: (place: Place) => Promise<number>): Promise<Ran> => {
    const place = new Place(url);
    const exitCode = await command(place);
    return { exitCode, out: place.stdout.text, err: place.stderr.text };
  };
  return { host, run };
}

t.test('keys are set, shown and taken away, and the others stay', async (t) => {
  const { host, run } = await start(t);
  await host.submit({ document: INGESTING });
  for (const whose of [null, 'records']) {
    const owner = whose ?? 'the cluster';
    t.strictSame(await run(async (place) => await getParametersCommand(whose, plain, place)), {
      exitCode: 0,
      out: '',
      err: '',
    });
    const values = ['a=1', 'b=some text', 'c={"d":[true]}'].reduce((last, text) => parseParameter(text, last), {});
    t.strictSame(await run(async (place) => await setParametersCommand(whose, values, false, plain, place)), {
      exitCode: 0,
      out: '',
      err: `parameters of ${owner}, version 1: a, b, c\n`,
    });
    await run(async (place) => await setParametersCommand(whose, { a: 2 }, false, plain, place));
    const shown = await run(async (place) => await getParametersCommand(whose, plain, place));
    t.equal(shown.out, 'a=2\nb="some text"\nc={"d":[true]}\n');
    await run(async (place) => await unsetParametersCommand(whose, ['b', 'none'], plain, place));
    const { out } = await run(async (place) => await getParametersCommand(whose, json, place));
    t.strictSame(JSON.parse(out), { version: 3, values: { a: 2, c: { d: [true] } }, problem: null });
    const all = await run(async (place) => await setParametersCommand(whose, { e: 1 }, true, json, place));
    t.strictSame(JSON.parse(all.out), { version: 4, values: { e: 1 }, problem: null }, 'with --replace');
    const none = await run(async (place) => await unsetParametersCommand(whose, ['e'], plain, place));
    t.match(none.err, 'version 5: none');
  }
});

t.test('it begins anew when somebody else is quicker, and gives up in the end', async (t) => {
  const { host, run } = await start(t);
  const set = host.setParameters.bind(host);
  let quicker = 2;
  host.setParameters = async (name, values, version) => {
    if (quicker-- > 0) await set(name, { theirs: quicker }, null);
    return await set(name, values, version);
  };
  const done = await run(async (place) => await setParametersCommand(null, { ours: 1 }, false, plain, place));
  t.equal(done.exitCode, 0);
  t.strictSame(host.kept.get(null)?.values, { theirs: 0, ours: 1 });
  quicker = 1000;
  const refused = await run(async (place) => await setParametersCommand(null, { ours: 2 }, false, json, place));
  t.equal(refused.exitCode, 1);
  t.match(JSON.parse(refused.out), { error: { code: 'MILLRACE_PARAMETERS_VERSION' } });
});

t.test('what cannot be read is told of, and mended by setting all of it', async (t) => {
  const { host, run } = await start(t);
  host.kept.set(null, { version: 3, values: {}, problem: 'it is damaged' });
  const shown = await run(async (place) => await getParametersCommand(null, plain, place));
  t.strictSame(shown, { exitCode: 0, out: '', err: 'warning: it is damaged; what was set before still holds\n' });
  for (const command of [
    async (place: Place) => await setParametersCommand(null, { a: 1 }, false, plain, place),
    async (place: Place) => await unsetParametersCommand(null, ['a'], plain, place),
  ]) {
    const refused = await run(command);
    t.match(refused, { exitCode: 2, err: /it is damaged[^]*--replace/ });
  }
  const mended = await run(async (place) => await setParametersCommand(null, { a: 1 }, true, plain, place));
  t.match(mended, { exitCode: 0, err: /version 4: a/ });
});

t.test('wrong usage, and what the host refuses', async (t) => {
  const { run } = await start(t);
  for (const text of ['a', '=1', '']) t.throws(() => parseParameter(text), { code: 'MILLRACE_CLI_USAGE' }, text);
  t.strictSame(parseParameter('a=b=c'), { a: 'b=c' });
  const wrong = await run(async (place) => await setParametersCommand(null, { '?': 1 }, false, plain, place));
  t.match(wrong, { exitCode: 1, err: /MILLRACE_PARAMETERS_INVALID/ });
  const unknown = await run(async (place) => await getParametersCommand('nobody', plain, place));
  t.match(unknown, { exitCode: 3, err: /"nobody"/ });
});
