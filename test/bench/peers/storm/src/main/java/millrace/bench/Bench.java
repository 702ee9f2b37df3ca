package millrace.bench;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.storm.Config;
import org.apache.storm.LocalCluster;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.tuple.Fields;

/**
 * Runs one topology on a local cluster and prints one line of JSON: what was done a second while it measured, and what
 * had become of everything when it had drained.
 *
 * <p>Arguments are {@code name=value}: topology, tracked, pending, batch, workers, rate (0: as fast as can be),
 * warmUpMs, measureMs.
 */
public final class Bench {
    private static final String[] CONSTANT = {"some data"};
    private static final String[] SENTENCES = {
        "the cow jumped over the moon",
        "an apple a day keeps the doctor away",
        "four score and seven years ago",
        "snow white and the seven dwarfs",
        "i am at two with nature"
    };
    private static final String NAME = "bench";
    private static final long DRAIN_MS = 20_000;

    private Bench() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> given = new HashMap<>();
        for (String arg : args) given.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
        boolean tracked = Boolean.parseBoolean(given.get("tracked"));
        int workers = Integer.parseInt(given.get("workers"));
        try (LocalCluster cluster =
                new LocalCluster.Builder().withSupervisors(1).withPortsPerSupervisor(workers).build()) {
            cluster.submitTopology(NAME, config(given, tracked, workers), topology(given, tracked));
            awaitFirst(tracked);
            Thread.sleep(Long.parseLong(given.get("warmUpMs")));
            String measured = measure(Long.parseLong(given.get("measureMs")), tracked);
            cluster.deactivate(NAME);
            awaitDrained(tracked);
            System.out.printf(
                    Locale.ROOT,
                    "{%s,\"counts\":{\"emitted\":%d,\"acked\":%d,\"failed\":%d,\"arrived\":%d}}%n",
                    measured, Meter.EMITTED.sum(), Meter.ACKED.sum(), Meter.FAILED.sum(), Meter.ARRIVED.sum());
            System.out.flush();
            // A cluster takes seconds to shut down in good order, and nothing of it is needed any more.
            Runtime.getRuntime().halt(0);
        }
    }

    private static StormTopology topology(Map<String, String> given, boolean tracked) {
        String kind = given.get("topology");
        double rate = Double.parseDouble(given.get("rate"));
        TopologyBuilder builder = new TopologyBuilder();
        builder.setSpout("source", new Source(kind.equals("words") ? SENTENCES : CONSTANT, tracked, rate), 1);
        switch (kind) {
            case "null" -> builder.setBolt("sink", new Bolts.Sink(), 1).localOrShuffleGrouping("source");
            case "id" -> {
                builder.setBolt("id", new Bolts.Id(), 1).localOrShuffleGrouping("source");
                builder.setBolt("sink", new Bolts.Sink(), 1).localOrShuffleGrouping("id");
            }
            case "words" -> {
                builder.setBolt("split", new Bolts.Split(), 1).localOrShuffleGrouping("source");
                builder.setBolt("count", new Bolts.Count(), 1).fieldsGrouping("split", new Fields("word"));
            }
            default -> throw new IllegalArgumentException("there is no topology " + kind);
        }
        return builder.createTopology();
    }

    private static Config config(Map<String, String> given, boolean tracked, int workers) {
        Config config = new Config();
        config.setNumWorkers(workers);
        config.setNumAckers(tracked ? 1 : 0);
        int pending = Integer.parseInt(given.get("pending"));
        if (pending > 0) config.setMaxSpoutPending(pending);
        config.put(Config.TOPOLOGY_PRODUCER_BATCH_SIZE, Integer.parseInt(given.get("batch")));
        config.put(Config.TOPOLOGY_SPOUT_RECVQ_SKIPS, 8);
        config.put(Config.TOPOLOGY_EXECUTOR_RECEIVE_BUFFER_SIZE, 32768);
        config.put(Config.TOPOLOGY_DISABLE_LOADAWARE_MESSAGING, true);
        config.put(Config.TOPOLOGY_STATS_SAMPLE_RATE, 0.0005);
        return config;
    }

    private static void awaitFirst(boolean tracked) throws InterruptedException {
        while ((tracked ? Meter.ACKED : Meter.ARRIVED).sum() == 0) Thread.sleep(10);
    }

    private static String measure(long measureMs, boolean tracked) throws InterruptedException {
        Meter.LATENCY.reset();
        long units = (tracked ? Meter.ACKED : Meter.EMITTED).sum();
        long cpuNanos = Meter.processorNanos();
        long startNanos = System.nanoTime();
        Thread.sleep(measureMs);
        double elapsedNanos = System.nanoTime() - startNanos;
        units = (tracked ? Meter.ACKED : Meter.EMITTED).sum() - units;
        cpuNanos = Meter.processorNanos() - cpuNanos;
        return String.format(
                Locale.ROOT,
                "\"perSecond\":%.1f,\"cores\":%.4f,\"latency\":{\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"p999Ms\":%.4f,\"maxMs\":%.4f}",
                units / elapsedNanos * 1e9, cpuNanos / elapsedNanos,
                Meter.latencyMs(50), Meter.latencyMs(99), Meter.latencyMs(99.9), Meter.latencyMs(100));
    }

    /** Until every tree has ended, or nothing has arrived for half a second. */
    private static void awaitDrained(boolean tracked) throws InterruptedException {
        long endNanos = System.nanoTime() + DRAIN_MS * 1_000_000;
        long before = -1;
        while (System.nanoTime() < endNanos) {
            long done = tracked ? Meter.ACKED.sum() + Meter.FAILED.sum() : Meter.ARRIVED.sum();
            if (tracked ? done == Meter.EMITTED.sum() && done == before : done == before) return;
            before = done;
            Thread.sleep(500);
        }
    }
}
