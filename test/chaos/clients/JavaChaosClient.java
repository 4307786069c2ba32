// Apache Kafka's own Java client in a run of chaos: an idempotent producer with records in flight, an assigned reader, a member of a group, and a scan. It runs from its source.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class JavaChaosClient {
    private static String bootstrap;
    private static String topic;
    private static int partitions;
    private static String name;
    private static boolean patient;
    private static volatile boolean stopped;
    private static volatile boolean ended;
    private static volatile boolean failed;

    public static void main(String[] args) throws Exception {
        bootstrap = args[1];
        topic = args[2];
        partitions = Integer.parseInt(args[3]);
        name = args[4];
        patient = args[5].equals("patient");
        if (args[0].equals("scan")) {
            scan(args[6]);
        } else {
            thread(JavaChaosClient::readInput);
            List<Thread> readers = List.of(thread(JavaChaosClient::readAssigned), thread(JavaChaosClient::readGroup));
            produce(Long.parseLong(args[6]));
            for (Thread reader : readers) reader.join();
        }
        System.exit(0);
    }

    private static Thread thread(Runnable run) {
        var thread = new Thread(run);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void readInput() {
        try (var input = new BufferedReader(new InputStreamReader(System.in))) {
            while (input.readLine() != null) stopped = true;
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        } finally {
            stopped = true;
            ended = true;
        }
    }

    private static Map<String, Object> config(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "client.id", name));
        if (patient) config.putAll(Map.of("reconnect.backoff.ms", 50, "reconnect.backoff.max.ms", 500, "request.timeout.ms", 10_000));
        config.putAll(more);
        return config;
    }

    private static KafkaProducer<String, String> producer() {
        Map<String, Object> more = new HashMap<>(Map.of("enable.idempotence", true));
        if (patient) more.putAll(Map.of("linger.ms", 2, "delivery.timeout.ms", 900_000, "max.block.ms", 60_000, "retry.backoff.ms", 50));
        return new KafkaProducer<>(config(more), new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> config = config(patient ? Map.of("enable.auto.commit", false, "fetch.max.wait.ms", 200, "session.timeout.ms", 10_000, "heartbeat.interval.ms", 1_000) : Map.of("auto.commit.interval.ms", 500));
        config.putAll(more);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static void produce(long everyMs) throws Exception {
        var inFlight = new Semaphore(100);
        var producer = producer();
        for (int number = 0; !stopped; number++) {
            if (failed) {
                producer.close(Duration.ofSeconds(60));
                producer = producer();
                failed = false;
            }
            if (!inFlight.tryAcquire(100, TimeUnit.MILLISECONDS)) {
                number--;
                continue;
            }
            int partition = number % partitions;
            String value = valueOf(number, partition);
            emit("{\"f\":\"send\",\"partition\":%d,\"value\":\"%s\"}", partition, value);
            try {
                producer.send(new ProducerRecord<>(topic, partition, null, value), (placed, failure) -> {
                    inFlight.release();
                    if (failure == null) emit("{\"f\":\"sent\",\"partition\":%d,\"value\":\"%s\",\"offset\":%d}", partition, value, placed.offset());
                    else unknown(partition, value, failure);
                });
            } catch (KafkaException error) {
                inFlight.release();
                unknown(partition, value, error);
            }
            Thread.sleep(everyMs);
        }
        producer.close(Duration.ofSeconds(140));
        emit("{\"f\":\"done\"}");
    }

    private static void unknown(int partition, String value, Exception error) {
        failed = true;
        emit("{\"f\":\"unknown\",\"partition\":%d,\"value\":\"%s\",\"error\":%s}", partition, value, quoted(String.valueOf(error)));
    }

    /** As in history.ts. */
    private static String valueOf(int number, int partition) {
        String head = name + "/" + number + "/" + partition + "/";
        return head + head.repeat(number % 7);
    }

    private static void readAssigned() {
        // Agents have racks of their names: this reader is sent to that agent, and away from it when it is gone.
        read(name + " reader", patient ? Map.of("client.rack", "blue") : Map.of(), () -> ended);
    }

    private static void scan(String ends) {
        Map<Integer, Long> due = new HashMap<>();
        for (String pair : ends.split(",")) due.put(Integer.parseInt(pair.split(":")[0]), Long.parseLong(pair.split(":")[1]));
        read(name + " scan", Map.of(), () -> due.entrySet().stream().allMatch((end) -> positions.getOrDefault(end.getKey(), 0L) >= end.getValue()));
    }

    /** Of the scan. */
    private static final Map<Integer, Long> positions = new HashMap<>();

    private static void read(String reader, Map<String, Object> more, java.util.function.BooleanSupplier over) {
        Map<String, Object> config = new HashMap<>(Map.of("auto.offset.reset", "none", "enable.auto.commit", false));
        config.putAll(more);
        List<TopicPartition> all = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) all.add(new TopicPartition(topic, partition));
        try (var consumer = consumer(config)) {
            consumer.assign(all);
            for (TopicPartition each : all) consumer.seek(each, 0);
            while (!over.getAsBoolean()) {
                var records = polled(reader, consumer);
                if (reader.endsWith("scan")) for (var record : records) positions.put(record.partition(), record.offset() + 1);
            }
        }
    }

    private static void readGroup() {
        String group = name + "-group";
        try (var consumer = consumer(Map.of("group.id", group, "auto.offset.reset", "earliest"))) {
            consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> gone) {}

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
                    emit("{\"f\":\"joined\",\"reader\":\"%s\"}", name + " member");
                }
            });
            while (!ended) {
                var records = polled(name + " member", consumer);
                if (records.isEmpty() || !patient) continue;
                Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                for (var each : records.partitions()) offsets.put(each, new OffsetAndMetadata(last(records.records(each)).offset() + 1));
                try {
                    consumer.commitSync(offsets, Duration.ofSeconds(10));
                    List<String> pairs = new ArrayList<>();
                    offsets.forEach((each, offset) -> pairs.add("[" + each.partition() + "," + offset.offset() + "]"));
                    emit("{\"f\":\"committed\",\"group\":\"%s\",\"offsets\":[%s]}", group, String.join(",", pairs));
                } catch (KafkaException error) {
                    emit("{\"f\":\"error\",\"text\":%s}", quoted(name + " cannot commit: " + error));
                }
            }
        }
    }

    private static <T> T last(List<T> of) {
        return of.get(of.size() - 1);
    }

    private static ConsumerRecords<String, String> polled(String reader, KafkaConsumer<String, String> consumer) {
        var records = consumer.poll(Duration.ofMillis(200));
        List<String> lines = new ArrayList<>();
        for (var record : records) lines.add("[" + record.partition() + "," + record.offset() + ",\"" + record.value() + "\"]");
        if (!lines.isEmpty()) emit("{\"f\":\"polled\",\"reader\":\"%s\",\"records\":[%s]}", reader, String.join(",", lines));
        return records;
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ").replace("\t", " ") + "\"";
    }

    private static synchronized void emit(String format, Object... values) {
        System.out.printf(format + "%n", values);
        System.out.flush();
    }
}
