// Apache Kafka's own Java client as the tests drive it: producer, consumer, admin.
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class JavaClient {
    private static final Map<String, String> options = new HashMap<>();

    public static void main(String[] args) throws Exception {
        for (int at = 1; at < args.length; at += 2) options.put(args[at].substring(2), args[at + 1]);
        switch (args[0]) {
            case "version" -> emit("{\"version\":%s}", quoted(version()));
            case "produce" -> produce();
            case "consume" -> consume();
            case "group" -> group();
            case "loop" -> loop();
            case "admin" -> admin();
            default -> throw new IllegalArgumentException(args[0]);
        }
        System.exit(0);
    }

    /** From the resource that every kafka-clients jar has; the class that reads it is internal, and gone in 4.4. */
    private static String version() throws IOException {
        var properties = new java.util.Properties();
        try (var file = KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            properties.load(file);
        }
        return properties.getProperty("version");
    }

    private static Map<String, Object> common() {
        return new HashMap<>(Map.of("bootstrap.servers", options.get("bootstrap"), "reconnect.backoff.ms", 20, "reconnect.backoff.max.ms", 200));
    }

    private static KafkaProducer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> config = common();
        config.putAll(more);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> config = common();
        config.put("auto.offset.reset", "earliest");
        config.putAll(more);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static void produce() throws Exception {
        try (var producer = producer(Map.of("compression.type", options.get("codec"), "enable.idempotence", options.get("idempotent"), "linger.ms", 5))) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            int count = Integer.parseInt(options.get("count"));
            for (int number = 0; number < count; number++) {
                var record = new ProducerRecord<>(options.get("topic"), number % 2, "key " + number, "value " + number);
                record.headers().add(new RecordHeader("h", ("header " + number).getBytes()));
                sent.add(producer.send(record));
            }
            for (int number = 0; number < count; number++) report(sent.get(number).get(), "value " + number);
        }
    }

    private static void report(RecordMetadata placed, String value) {
        emit("{\"partition\":%d,\"offset\":%d,\"value\":%s}", placed.partition(), placed.offset(), quoted(value));
    }

    private static void consume() {
        try (var consumer = consumer(Map.of("enable.auto.commit", false))) {
            consumer.assign(consumer.partitionsFor(options.get("topic")).stream().map(each -> new TopicPartition(each.topic(), each.partition())).toList());
            int left = Integer.parseInt(options.get("count"));
            while (left > 0) {
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    emit(record);
                    left--;
                }
            }
        }
    }

    private static void emit(ConsumerRecord<String, String> record) {
        var header = record.headers().lastHeader("h");
        emit("{\"partition\":%d,\"offset\":%d,\"key\":%s,\"value\":%s,\"header\":%s}", record.partition(), record.offset(), quoted(record.key()), quoted(record.value()),
            header == null ? "null" : quoted(new String(header.value())));
    }

    private static void group() throws Exception {
        var rack = options.getOrDefault("rack", "");
        var consumer = consumer(Map.of("group.id", options.get("group"), "client.rack", rack, "auto.commit.interval.ms", 100, "heartbeat.interval.ms", 500));
        whenInputEnds(consumer::wakeup);
        consumer.subscribe(List.of(options.get("topic")));
        try (consumer) {
            while (true) for (var record : consumer.poll(Duration.ofSeconds(1))) emit(record);
        } catch (WakeupException end) {
            // The test has asked for the end; closing commits and leaves.
        }
    }

    private static void loop() throws Exception {
        var settings = Map.<String, Object>of("enable.idempotence", true, "linger.ms", 2, "batch.size", 300, "retry.backoff.ms", 20, "delivery.timeout.ms", 90_000);
        var ended = new AtomicReference<Object>();
        var inFlight = new java.util.concurrent.Semaphore(200);
        whenInputEnds(() -> ended.compareAndSet(null, "input"));
        try (var producer = producer(settings)) {
            for (int number = 0; ended.get() == null; number++) {
                String value = "record " + number;
                inFlight.acquire();
                producer.send(new ProducerRecord<>(options.get("topic"), number % 3, null, value), (placed, failure) -> {
                    inFlight.release();
                    if (failure != null) ended.set(failure);
                    else report(placed, value);
                });
            }
        }
        if (ended.get() instanceof Exception failure) throw failure;
    }

    private static void admin() throws Exception {
        String topic = options.get("topic");
        String group = options.get("group");
        var first = new TopicPartition(options.get("read"), 0);
        try (Admin admin = Admin.create(common())) {
            admin.createTopics(List.of(new NewTopic(topic, 3, (short) 1).configs(Map.of("max.message.bytes", "123456")))).all().get();
            emit("{\"step\":\"create\"}");
            emit("{\"step\":\"list\",\"found\":%b}", admin.listTopics().names().get().contains(topic));
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all().get();
            int partitions = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
            emit("{\"step\":\"grow\",\"partitions\":%d}", partitions);
            var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            emit("{\"step\":\"configs\",\"value\":%s}", quoted(limit(admin, resource)));
            var change = new AlterConfigOp(new ConfigEntry("max.message.bytes", "234567"), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
            emit("{\"step\":\"change configs\",\"value\":%s}", quoted(limit(admin, resource)));
            emit("{\"step\":\"cluster\",\"nodes\":%d}", admin.describeCluster().nodes().get().size());
            emit("{\"step\":\"groups\",\"found\":%b}", hasGroup(admin, group));
            var described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            emit("{\"step\":\"group\",\"state\":%s}", quoted(described.groupState().name()));
            String committed = committed(admin, group).entrySet().stream()
                .sorted(Comparator.comparing(each -> each.getKey().partition()))
                .map(each -> "[%d,%d]".formatted(each.getKey().partition(), each.getValue().offset()))
                .collect(Collectors.joining(","));
            emit("{\"step\":\"committed\",\"offsets\":[%s]}", committed);
            emit("{\"step\":\"end\",\"offset\":%d}", admin.listOffsets(Map.of(first, OffsetSpec.latest())).partitionResult(first).get().offset());
            admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(1))).all().get();
            long start = admin.listOffsets(Map.of(first, OffsetSpec.earliest())).partitionResult(first).get().offset();
            emit("{\"step\":\"delete records\",\"start\":%d}", start);
            admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(1))).all().get();
            emit("{\"step\":\"altered\",\"offset\":%d}", committed(admin, group).get(first).offset());
            admin.deleteConsumerGroups(List.of(group)).all().get();
            emit("{\"step\":\"delete group\",\"found\":%b}", hasGroup(admin, group));
            admin.deleteTopics(List.of(topic)).all().get();
            emit("{\"step\":\"delete\",\"found\":%b}", admin.listTopics().names().get().contains(topic));
        }
    }

    private static String limit(Admin admin, ConfigResource resource) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get("max.message.bytes").value();
    }

    private static boolean hasGroup(Admin admin, String group) throws Exception {
        return admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get().stream().anyMatch(each -> each.groupId().equals(group));
    }

    private static Map<TopicPartition, OffsetAndMetadata> committed(Admin admin, String group) throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    }

    private static void whenInputEnds(Runnable end) {
        var reading = new Thread(() -> {
            try {
                System.in.transferTo(java.io.OutputStream.nullOutputStream());
            } catch (IOException broken) {
                throw new IllegalStateException(broken);
            }
            end.run();
        });
        reading.setDaemon(true);
        reading.start();
    }

    private static synchronized void emit(String format, Object... values) {
        System.out.println(format.formatted(values));
    }

    private static String quoted(String text) {
        return text == null ? "null" : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
