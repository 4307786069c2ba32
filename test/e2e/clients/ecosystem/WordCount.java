// Kafka Streams: counts the words of the topic `lines` into the topic `counts`, or those that it is given, at least once or exactly once. It prints each store that it restores, and each change of state.
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;

public class WordCount {
    private static final Map<String, String> options = new HashMap<>();

    public static void main(String[] args) throws Exception {
        for (int at = 0; at < args.length; at += 2) options.put(args[at].substring(2), args[at + 1]);
        var builder = new StreamsBuilder();
        var text = Serdes.String();
        builder.stream(options.getOrDefault("from", "lines"), Consumed.with(text, text))
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.with("words", text, text))
            .count(Materialized.as("counts"))
            .toStream()
            .mapValues(count -> Long.toString(count))
            .to(options.getOrDefault("to", "counts"), Produced.with(text, text));

        var properties = new Properties();
        properties.putAll(Map.of(
            "application.id", options.getOrDefault("application", "word-count"),
            "bootstrap.servers", options.get("bootstrap"),
            "state.dir", options.get("state"),
            "processing.guarantee", options.getOrDefault("guarantee", "at_least_once"),
            "commit.interval.ms", 200,
            "repartition.purge.interval.ms", 500,
            "consumer.auto.offset.reset", "earliest",
            "consumer.session.timeout.ms", Integer.parseInt(options.getOrDefault("session", "45000")),
            "reconnect.backoff.max.ms", 500));
        var streams = new KafkaStreams(builder.build(), properties);
        streams.setUncaughtExceptionHandler(error -> {
            System.out.println("{\"error\":\"" + String.valueOf(error).replace('"', '\'').replace('\n', ' ') + "\"}");
            return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> System.out.println("{\"state\":\"" + now + "\"}"));
        streams.setGlobalStateRestoreListener(new StateRestoreListener() {
            @Override
            public void onRestoreStart(TopicPartition changelog, String store, long from, long to) {}

            @Override
            public void onBatchRestored(TopicPartition changelog, String store, long to, long count) {}

            @Override
            public void onRestoreEnd(TopicPartition changelog, String store, long count) {
                System.out.println("{\"restored\":\"" + changelog + "\",\"records\":" + count + "}");
            }
        });
        streams.start();
        while (System.in.read() != -1) continue;
        streams.close(Duration.ofSeconds(20));
    }
}
