#!/usr/bin/env bash
# kafkajs: whether a consumer survives its removal from the group depends on who commits its offset.
#
# A member that was silent for longer than its session time-out, or that an administrator removed, gets UNKNOWN_MEMBER_ID with its next request. When kafkajs
# meets it in a heartbeat or in its own commit after a record, it joins again and goes on. When the application commits, with consumer.commitOffsets() in a
# handler and autoCommit false, the same answer is thrown there, and what a handler throws ends the consumer: the event CRASH says restart false, the process
# goes on, and nothing is read any more. A handler that is slow enough to lose its session is the usual way there. It must catch the error of its commit, or
# the program must watch the event CRASH and run again.
# Seen with kafkajs 2.2.4 and org.apache.kafka:kafka_2.13 4.3.1.
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
npm install --silent --no-fund --no-audit --ignore-scripts kafkajs@2.2.4
port=$((20000 + RANDOM % 10000))
cat >server.properties <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
log.dirs=$folder/logs
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
CONFIG
java -cp 'jars/*' kafka.tools.StorageTool format --standalone -t "$(java -cp 'jars/*' kafka.tools.StorageTool random-uuid 2>/dev/null)" -c server.properties >format.log 2>&1
java -Xmx512m -cp 'jars/*' kafka.Kafka server.properties >broker.log 2>&1 &
broker=$!
cat >Remove.java <<'JAVA'
import java.util.*;
import org.apache.kafka.clients.admin.*;

public class Remove {
  public static void main(String[] args) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      admin.removeMembersFromConsumerGroup("g", new RemoveMembersFromConsumerGroupOptions()).all().get();
    }
  }
}
JAVA
cat >consume.cjs <<'JS'
const { execFileSync } = require('node:child_process')
const { Kafka, logLevel } = require('kafkajs')

const [server] = process.argv.slice(2)
const kafka = new Kafka({ brokers: [server], logLevel: logLevel.NOTHING })
const remove = () => execFileSync('java', ['-cp', 'jars/*', 'Remove.java', server], { stdio: 'ignore' })

async function run(when, autoCommit) {
  const topic = `t-${when}-${autoCommit}`
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'first' }] })
  const consumer = kafka.consumer({ groupId: 'g', heartbeatInterval: 3_000 })
  const seen = []
  let joins = 0
  let said = () => {}
  const told = new Promise((resolve) => (said = resolve))
  consumer.on(consumer.events.GROUP_JOIN, () => (joins += 1))
  consumer.on(consumer.events.CRASH, ({ payload }) => said(`ends, with ${payload.error.name}: ${payload.error.message.split(/[.:]/)[0]}, restart ${payload.restart}`))
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit,
    autoCommitThreshold: 1,
    eachMessage: async ({ message }) => {
      seen.push(String(message.value))
      if (seen.length === 1 && when === 'in-a-handler') remove()
      if (!autoCommit) await consumer.commitOffsets([{ topic, partition: 0, offset: String(Number(message.offset) + 1) }])
      if (String(message.value) === 'last') said(`goes on, after ${joins} joins`)
    },
  })
  while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  if (when === 'between-records') {
    await new Promise((resolve) => setTimeout(resolve, 500))
    remove()
    while (joins < 2) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await producer.send({ topic, messages: [{ value: 'last' }] })
  console.log(`removed ${when}, ${autoCommit ? 'commits by itself' : 'the handler commits'}: ${await told}`)
  await consumer.disconnect()
  await producer.disconnect()
  await admin.disconnect()
}

run('between-records', false)
  .then(() => run('in-a-handler', true))
  .then(() => run('in-a-handler', false))
JS
for _ in $(seq 60); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 1
done
timeout 120 node consume.cjs "127.0.0.1:$port" | tee output
grep -q '^removed between-records, the handler commits: goes on, after 2 joins$' output
grep -q '^removed in-a-handler, commits by itself: goes on, after 2 joins$' output
grep -q '^removed in-a-handler, the handler commits: ends, with KafkaJSNonRetriableError: The coordinator is not aware of this member, restart false$' output
echo 'seen: kafkajs 2.2.4'
