package millrace.bench;

import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;

/** What all tasks of this process count, in one place: a local cluster keeps its workers in one process. */
final class Meter {
    static final LongAdder EMITTED = new LongAdder();
    static final LongAdder ACKED = new LongAdder();
    static final LongAdder FAILED = new LongAdder();
    /** Tuples that the last bolt took. */
    static final LongAdder ARRIVED = new LongAdder();
    /** Nanoseconds from the time at which a tuple was meant to be emitted to the end of its tree. */
    static final ConcurrentHistogram LATENCY = new ConcurrentHistogram(3_600_000_000_000L, 3);

    private Meter() {}

    static long processorNanos() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime();
    }

    static double latencyMs(double percentile) {
        return LATENCY.getValueAtPercentile(percentile) / 1e6;
    }
}
