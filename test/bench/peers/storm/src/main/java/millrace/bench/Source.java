package millrace.bench;

import java.util.Map;
import org.apache.storm.spout.SpoutOutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.base.BaseRichSpout;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Values;

/** Emits texts in turn: as fast as it is asked, or at a steady rate, which it catches up with when it was held up. */
final class Source extends BaseRichSpout {
    private final String[] texts;
    private final boolean tracked;
    /** Between two tuples; 0 for as fast as can be. */
    private final double periodNanos;
    private transient SpoutOutputCollector out;
    private int nextText;
    private long startNanos;
    private long emitted;

    Source(String[] texts, boolean tracked, double perSecond) {
        this.texts = texts;
        this.tracked = tracked;
        this.periodNanos = perSecond > 0 ? 1e9 / perSecond : 0;
    }

    @Override
    public void open(Map<String, Object> config, TopologyContext context, SpoutOutputCollector collector) {
        out = collector;
    }

    @Override
    public void activate() {
        startNanos = System.nanoTime();
        emitted = 0;
    }

    @Override
    public void nextTuple() {
        long meantNanos = System.nanoTime();
        if (periodNanos > 0) {
            long dueNanos = startNanos + (long) (emitted * periodNanos);
            if (meantNanos < dueNanos) return;
            meantNanos = dueNanos;
        }
        Values values = new Values(texts[nextText]);
        nextText = nextText + 1 == texts.length ? 0 : nextText + 1;
        emitted++;
        Meter.EMITTED.increment();
        if (tracked) out.emit(values, meantNanos);
        else out.emit(values);
    }

    @Override
    public void ack(Object meantNanos) {
        Meter.ACKED.increment();
        Meter.LATENCY.recordValue(Math.max(0, System.nanoTime() - (Long) meantNanos));
    }

    @Override
    public void fail(Object meantNanos) {
        Meter.FAILED.increment();
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
        declarer.declare(new Fields("value"));
    }
}
