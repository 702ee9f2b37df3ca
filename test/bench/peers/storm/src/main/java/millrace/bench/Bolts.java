package millrace.bench;

import java.util.HashMap;
import java.util.Map;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;

/** The bolts of the three topologies: the same work as that of their namesakes in topologies/bolts.ts. */
final class Bolts {
    private Bolts() {}

    private abstract static class Plain extends BaseRichBolt {
        transient OutputCollector out;
        private final String[] fields;

        Plain(String... fields) {
            this.fields = fields;
        }

        @Override
        public void prepare(Map<String, Object> config, TopologyContext context, OutputCollector collector) {
            out = collector;
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {
            if (fields.length > 0) declarer.declare(new Fields(fields));
        }
    }

    static final class Sink extends Plain {
        @Override
        public void execute(Tuple tuple) {
            Meter.ARRIVED.increment();
            out.ack(tuple);
        }
    }

    static final class Id extends Plain {
        Id() {
            super("value");
        }

        @Override
        public void execute(Tuple tuple) {
            out.emit(tuple, new Values(tuple.getString(0)));
            out.ack(tuple);
        }
    }

    static final class Split extends Plain {
        Split() {
            super("word");
        }

        @Override
        public void execute(Tuple tuple) {
            for (String word : tuple.getString(0).split(" ")) out.emit(tuple, new Values(word));
            out.ack(tuple);
        }
    }

    static final class Count extends Plain {
        private final HashMap<String, Integer> counts = new HashMap<>();

        Count() {
            super("word", "count");
        }

        @Override
        public void execute(Tuple tuple) {
            String word = tuple.getString(0);
            Integer count = counts.merge(word, 1, Integer::sum);
            Meter.ARRIVED.increment();
            out.emit(tuple, new Values(word, count));
            out.ack(tuple);
        }
    }
}
