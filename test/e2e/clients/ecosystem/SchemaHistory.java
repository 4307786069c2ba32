// Debezium's store of schema changes in a topic, without a database: `record` creates the topic and writes statements, `recover` prints those that it reads back.
import io.debezium.config.Configuration;
import io.debezium.relational.SystemVariables;
import io.debezium.relational.Tables;
import io.debezium.relational.ddl.DdlChanges;
import io.debezium.relational.ddl.DdlParser;
import io.debezium.relational.history.HistoryRecordComparator;
import io.debezium.relational.history.SchemaHistoryListener;
import io.debezium.storage.kafka.history.KafkaSchemaHistory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

public class SchemaHistory {
    private static final Map<String, String> options = new HashMap<>();
    private static final Map<String, ?> source = Map.of("server", "shop");

    public static void main(String[] args) throws Exception {
        for (int at = 1; at < args.length; at += 2) options.put(args[at].substring(2), args[at + 1]);
        var history = new KafkaSchemaHistory();
        var configuration = Configuration.create()
            .with("schema.history.internal.kafka.bootstrap.servers", options.get("bootstrap"))
            .with("schema.history.internal.kafka.topic", options.get("topic"))
            .with("schema.history.internal.name", "shop")
            .with("schema.history.internal.connector.class", "io.debezium.storage.kafka.history.KafkaSchemaHistory")
            .with("schema.history.internal.connector.id", "shop")
            .build();
        history.configure(configuration, HistoryRecordComparator.INSTANCE, SchemaHistoryListener.NOOP, true);
        history.start();
        switch (args[0]) {
            case "record" -> record(history);
            case "recover" -> recover(history);
            default -> throw new IllegalArgumentException(args[0]);
        }
        history.stop();
        System.exit(0);
    }

    private static void record(KafkaSchemaHistory history) throws Exception {
        if (!history.storageExists()) history.initializeStorage();
        history.checkStorageSettings();
        int count = Integer.parseInt(options.get("count"));
        for (int at = 0; at < count; at++)
            history.record(source, Map.of("position", at), "shop", "CREATE TABLE t" + at + " (id INT)");
    }

    private static void recover(KafkaSchemaHistory history) throws Exception {
        var statements = new ArrayList<String>();
        int until = Integer.parseInt(options.get("until"));
        history.recover(source, Map.of("position", until), new Tables(), new Statements(statements));
        for (var statement : statements) System.out.println("{\"statement\":\"" + statement + "\"}");
    }

    private record Statements(List<String> found) implements DdlParser {
        @Override
        public DdlChanges parse(String statement, Tables tables) {
            found.add(statement);
            return null;
        }

        @Override
        public void setCurrentDatabase(String name) {}

        @Override
        public void setCurrentSchema(String name) {}

        @Override
        public SystemVariables systemVariables() {
            return new SystemVariables();
        }
    }
}
