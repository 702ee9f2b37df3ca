// Loaded by host processes before anything else: their wall clock is some hours ahead of the machine's.

const aheadMs = Number(process.env['MILLRACE_TEST_AHEAD_HOURS']) * 3_600_000;
const RealDate = Date;

class AheadDate extends RealDate {
  constructor(...given: readonly [] | readonly [number | string | Date]) {
    if (given.length === 0) super(RealDate.now() + aheadMs);
    else super(...(given as readonly [number]));
  }

  static override now(): number {
    return RealDate.now() + aheadMs;
  }
}

globalThis.Date = AheadDate as DateConstructor;
