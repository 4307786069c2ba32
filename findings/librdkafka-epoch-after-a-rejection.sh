#!/usr/bin/env bash
# librdkafka: an idempotent producer stores a record twice, without an error, if its answer is lost just as a batch of another partition is rejected.
#
# A broker rejects a batch of partition 0, and then has to answer OUT_OF_ORDER_SEQUENCE_NUMBER to the next one, which was in flight already. librdkafka takes
# the next epoch of its producer id for that, and the epoch is that of all partitions: each begins again at sequence 0. A record of partition 1 that the
# broker has written, but whose answer was lost with the connection, is sent again under the new epoch, so the broker cannot know it and writes it once more.
# The application receives one delivery report, without an error. Either event alone does no harm. The Java client keeps its epoch there: it sends the batches
# again as they were, and each record is stored once. A transactional producer of librdkafka doubles nothing either: its commit fails, and the transaction can
# be aborted. An issue of librdkafka describes this: https://github.com/confluentinc/librdkafka/issues/4953.
# The proxy below stands between the clients and a broker. It rejects one Produce in the broker's place, keeps the answers until a third Produce was answered,
# and ends the connection before that answer.
# Seen with confluent-kafka 2.16.1 (librdkafka 2.16.0), org.apache.kafka:kafka-clients and kafka_2.13 4.3.1, on Python 3.11 and Java 17.
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
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check confluent-kafka==2.16.1
port=$((20000 + RANDOM % 10000))
proxy=$((port + 2))
cat >server.properties <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$proxy
controller.listener.names=CONTROLLER
log.dirs=$folder/logs
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
CONFIG
java -cp 'jars/*' kafka.tools.StorageTool format --standalone -t "$(java -cp 'jars/*' kafka.tools.StorageTool random-uuid 2>/dev/null)" -c server.properties >format.log 2>&1
java -Xmx512m -cp 'jars/*' kafka.Kafka server.properties >broker.log 2>&1 &
broker=$!
cat >Send.java <<'JAVA'
import java.util.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.StringSerializer;

public class Send {
  public static void main(String[] args) {
    Scanner words = new Scanner(System.in);
    List<String> reports = Collections.synchronizedList(new ArrayList<>());
    try (Producer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", args[0]), new StringSerializer(), new StringSerializer())) {
      while (words.hasNext()) {
        String topic = words.next();
        if (topic.equals("flush")) {
          producer.flush();
          System.out.println(String.join(" ", reports));
          reports.clear();
        } else {
          ProducerRecord<String, String> sent = new ProducerRecord<>(topic, words.nextInt(), null, words.next());
          producer.send(sent, (at, error) -> reports.add(error == null ? "delivered" : error.toString()));
        }
      }
    }
  }
}
JAVA
cat >proxy.py <<'PY'
"""A proxy that reads Produce from version 9 on. Of the first three in a plan it keeps the answers until it has them all."""
import socket
import struct
import threading
from queue import Queue

produce = 0
errors = {0: "written", 6: "NOT_LEADER_OR_FOLLOWER", 19: "NOT_ENOUGH_REPLICAS", 45: "OUT_OF_ORDER_SEQUENCE_NUMBER"}


def varint(frame, at):
    value = shift = 0
    while True:
        value |= (frame[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if frame[at - 1] < 128:
            return value, at


class Request:
    def __init__(self, frame):
        self.key, version, self.correlation, client = struct.unpack_from(">hhih", frame)
        self.number = None
        self.batches = []
        if self.key != produce:
            return
        transactional, at = varint(frame, 11 + client)
        _, at = varint(frame, at + max(transactional - 1, 0) + 6)
        name, end = (17, at) if version >= 13 else varint(frame, at)  # an id of 16 bytes, or a name
        self.topic = frame[at : end + name - 1]
        partitions, at = varint(frame, end + name - 1)
        for _ in range(partitions - 1):
            (partition,) = struct.unpack_from(">i", frame, at)
            length, at = varint(frame, at + 4)
            self.batches.append((partition, *struct.unpack_from(">hi", frame, at + 51)))  # its epoch and first sequence
            at += length

    def rejection(self, error):
        partition = struct.pack(">ihqqqB", self.batches[0][0], error, -1, -1, -1, 1)
        return struct.pack(">ixB", self.correlation, 2) + self.topic + b"\2" + partition + bytes(8)

    def error(self, answer):
        return errors[struct.unpack_from(">h", answer, 11 + len(self.topic))[0]]


class Plan:
    """Rejects the first Produce with an error unless that is 0, and cuts the connection before the third answer if told to."""

    def __init__(self, error, cuts):
        self.error, self.cuts = error, cuts
        self.requests = []
        self.answers = []
        self.changed = threading.Condition()

    def note(self, request):
        with self.changed:
            self.requests.append(request)
            request.number = len(self.requests)
            self.changed.notify_all()

    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, 60), f"{count} requests"


class Proxy:
    def __init__(self, port, broker):
        self.plan = None
        self.broker = broker
        self.listener = socket.create_server(("127.0.0.1", port))
        start(self.accept)

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.broker))
            expected = Queue()
            start(self.forward_requests, client, server, expected)
            start(self.forward_answers, client, server, expected)

    def forward_requests(self, client, server, expected):
        ending = False
        for frame in frames(client):
            request, plan = Request(frame), self.plan
            if ending:
                continue
            if request.key == produce and plan:
                plan.note(request)
            ending = request.number == 3 and plan.cuts
            rejection = request.rejection(plan.error) if request.number == 1 and plan.error else None
            expected.put((request, plan, rejection))
            if not rejection:
                write(server, frame)
        expected.put(None)
        server.shutdown(socket.SHUT_WR)

    def forward_answers(self, client, server, expected):
        answers = frames(server)
        kept = []
        while item := expected.get():
            request, plan, rejection = item
            answer = rejection or next(answers)
            if request.number in (1, 2, 3):
                plan.answers.append(request.error(answer))
            ends = request.number == 3 and plan.cuts
            if not ends:
                kept.append(answer)
            if request.number in (1, 2) or (len(kept) > 1 and request.number != 3):
                continue
            try:
                for answer in kept:
                    write(client, answer)
            except ConnectionError:  # the client has left
                return
            kept.clear()
            if ends:
                client.shutdown(socket.SHUT_WR)
                return


def frames(connection):
    stream = connection.makefile("rb")
    while size := stream.read(4):
        yield stream.read(struct.unpack(">i", size)[0])


def write(connection, frame):
    connection.sendall(struct.pack(">i", len(frame)) + frame)


def start(run, *args):
    threading.Thread(target=run, args=args, daemon=True).start()
PY
cat >produce.py <<'PY'
import subprocess
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from proxy import Plan, Proxy

port, broker = map(int, sys.argv[1:])
proxy = Proxy(port, broker)
common = {"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 2}
admin = AdminClient(common)
not_leader, not_enough_replicas = 6, 19


class Librdkafka:
    def __init__(self, **config):
        self.producer = Producer({**common, "enable.idempotence": True, **config})
        self.reports = []
        self.begin = self.commit = lambda: None

    def send(self, topic, partition, value):
        self.producer.produce(topic, value, partition=partition, on_delivery=lambda error, _: self.reports.append(error.name() if error else "delivered"))

    def flush(self):
        self.producer.flush(60)
        seen = " ".join(self.reports)
        self.reports.clear()
        return seen


class Transactional(Librdkafka):
    def __init__(self):
        super().__init__(**{"transactional.id": "t"})
        self.producer.init_transactions()
        self.begin = self.producer.begin_transaction

        def commit():
            try:
                self.producer.commit_transaction()
            except KafkaException as error:
                self.producer.abort_transaction()
                print(f"  commit: {error.args[0].name()}")

        self.commit = commit


class Java:
    def __init__(self):
        command = ["java", "-Xmx128m", "-cp", "jars/*", "Send.java", common["bootstrap.servers"]]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.begin = self.commit = lambda: None

    def send(self, *words):
        print(*words, file=self.process.stdin, flush=True)

    def flush(self):
        self.send("flush")
        return self.process.stdout.readline().strip()


def read(topic, partition):
    consumer = Consumer({**common, "group.id": "g", "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, 0)])
    values = []
    while (message := consumer.poll(60)) and not message.error():
        values.append(message.value().decode())
    consumer.close()
    return " ".join(values) or "nothing"


def run(what, client, error, cuts):
    print(what)
    topic = what.replace(" ", "-").replace(",", "")
    admin.create_topics([NewTopic(topic, 2)])[topic].result()
    proxy.plan = None
    producer = client()
    producer.begin()
    for partition in (0, 1):
        producer.send(topic, partition, "before")
    producer.flush()
    plan = proxy.plan = Plan(error, cuts)
    for count, (partition, value) in enumerate([(0, "first"), (0, "second"), (1, "other")], 1):
        producer.send(topic, partition, value)
        plan.wait(count)
    reports = producer.flush()
    producer.commit()
    sent = [f"epoch {epoch} sequence {sequence}" for request in plan.requests for partition, epoch, sequence in request.batches if partition == 1]
    print(f"  answers: {', '.join(plan.answers)}{', which is lost' if cuts else ''}")
    print(f"  partition 1 is sent: {', '.join(sent)}")
    print(f"  reports: {reports}")
    print(f"  partition 0 has: {read(topic, 0)}")
    print(f"  partition 1 has: {read(topic, 1)}", flush=True)


run("librdkafka, a batch rejected", Librdkafka, not_leader, False)
run("librdkafka, an answer lost", Librdkafka, 0, True)
run("librdkafka, both", Librdkafka, not_leader, True)
run("librdkafka, both, another error", Librdkafka, not_enough_replicas, True)
run("librdkafka, both, in a transaction", Transactional, not_leader, True)
run("Java, both", Java, not_leader, True)
PY
for _ in $(seq 60); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 1
done
timeout 300 python/bin/python produce.py "$proxy" "$port" | tee seen
diff - seen <<'SEEN'
librdkafka, a batch rejected
  answers: NOT_LEADER_OR_FOLLOWER, OUT_OF_ORDER_SEQUENCE_NUMBER, written
  partition 1 is sent: epoch 0 sequence 1
  reports: delivered delivered delivered
  partition 0 has: before first second
  partition 1 has: before other
librdkafka, an answer lost
  answers: written, written, written, which is lost
  partition 1 is sent: epoch 0 sequence 1, epoch 0 sequence 1
  reports: delivered delivered delivered
  partition 0 has: before first second
  partition 1 has: before other
librdkafka, both
  answers: NOT_LEADER_OR_FOLLOWER, OUT_OF_ORDER_SEQUENCE_NUMBER, written, which is lost
  partition 1 is sent: epoch 0 sequence 1, epoch 1 sequence 0
  reports: delivered delivered delivered
  partition 0 has: before first second
  partition 1 has: before other other
librdkafka, both, another error
  answers: NOT_ENOUGH_REPLICAS, OUT_OF_ORDER_SEQUENCE_NUMBER, written, which is lost
  partition 1 is sent: epoch 0 sequence 1, epoch 1 sequence 0
  reports: delivered delivered delivered
  partition 0 has: before first second
  partition 1 has: before other other
librdkafka, both, in a transaction
  commit: OUT_OF_ORDER_SEQUENCE_NUMBER
  answers: NOT_LEADER_OR_FOLLOWER, OUT_OF_ORDER_SEQUENCE_NUMBER, written, which is lost
  partition 1 is sent: epoch 0 sequence 1
  reports: _PURGE_QUEUE _PURGE_QUEUE _PURGE_QUEUE
  partition 0 has: nothing
  partition 1 has: nothing
Java, both
  answers: NOT_LEADER_OR_FOLLOWER, OUT_OF_ORDER_SEQUENCE_NUMBER, written, which is lost
  partition 1 is sent: epoch 0 sequence 1, epoch 0 sequence 1
  reports: delivered delivered delivered
  partition 0 has: before first second
  partition 1 has: before other
SEEN
echo 'seen: confluent-kafka 2.16.1'
