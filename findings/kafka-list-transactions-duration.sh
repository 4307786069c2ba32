#!/usr/bin/env bash
# Apache Kafka: the list of transactions that have run for longer than a duration also has transactional ids that have never begun one.
#
# ListTransactions 1 has a filter for the duration (KIP-994), which `kafka-transactions.sh list --duration-filter` and Admin's filterOnDuration send: it is
# meant for the search for transactions that hang. The broker seems to compare only the age of an id's last start with the filter, whatever its state. An id
# that has begun no transaction has no start and counts as old: a producer that has only called initTransactions() a moment ago is listed as older than an
# hour. After its first transaction it is not listed any more, although no other one is open either. Whoever uses the filter must also filter the state.
# Seen with org.apache.kafka:kafka_2.13 4.3.1 and its Admin client on Java 17.
set -euo pipefail
folder=$(mktemp -d)
broker=''
trap '[ -z "$broker" ] || kill -9 "$broker" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId>
  <artifactId>broker</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.3.1</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.25.1</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=jars
port=$((20000 + RANDOM % 10000))
cat >server.properties <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
log.dirs=$folder/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
CONFIG
java -cp 'jars/*' kafka.tools.StorageTool format --standalone -t "$(java -cp 'jars/*' kafka.tools.StorageTool random-uuid 2>/dev/null)" -c server.properties >format.log 2>&1
java -Xmx512m -cp 'jars/*' kafka.Kafka server.properties >broker.log 2>&1 &
broker=$!
cat >Listed.java <<'JAVA'
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.StringSerializer;

public class Listed {
  public static void main(String[] args) throws Exception {
    String server = args[0];
    Map<String, Object> common = Map.of("bootstrap.servers", server);
    try (Admin admin = Admin.create(common)) {
      admin.createTopics(List.of(new NewTopic("t", 1, (short) 1))).all().get();
      try (Producer<String, String> producer = producer(server, "never-began"); Producer<String, String> other = producer(server, "has-ended-one")) {
        producer.initTransactions();
        other.initTransactions();
        list("after initTransactions", admin);
        other.beginTransaction();
        other.send(new ProducerRecord<>("t", "value")).get();
        other.commitTransaction();
        list("after a transaction of the second", admin);
      }
    }
  }

  static Producer<String, String> producer(String server, String id) {
    return new KafkaProducer<>(Map.of("bootstrap.servers", server, "transactional.id", id), new StringSerializer(), new StringSerializer());
  }

  static void list(String when, Admin admin) throws Exception {
    TreeMap<String, String> listed = new TreeMap<>();
    for (TransactionListing one : admin.listTransactions(new ListTransactionsOptions().filterOnDuration(3_600_000)).all().get())
      listed.put(one.transactionalId(), one.state().toString());
    System.out.println(when + ", longer than an hour: " + listed);
  }
}
JAVA
for _ in $(seq 60); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 1
done
java -cp 'jars/*' Listed.java "127.0.0.1:$port" 2>client.log | tee output
grep -q '^after initTransactions, longer than an hour: {has-ended-one=Empty, never-began=Empty}$' output
grep -q '^after a transaction of the second, longer than an hour: {never-began=Empty}$' output
echo 'seen: kafka_2.13 4.3.1'
