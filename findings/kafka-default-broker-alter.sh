#!/usr/bin/env bash
# Apache Kafka: each full AlterConfigs of the default of all brokers fails unless it names min.insync.replicas, a config that nobody has set.
#
# A new cluster of 4.3 has eligible leader replicas (ELR, KIP-966) on, and stores min.insync.replicas as a default of the cluster when it is formatted. A full
# AlterConfigs replaces the whole set of configs of its resource, so one that names only log.retention.ms would remove that default, and the controller
# rejects it: "cannot be removed while ELR is enabled". The same request for one broker is accepted, and so is one that repeats the default. Tools that
# replace configs as a whole must know a config that the user neither set nor asked for; incremental changes are not affected.
# Seen with org.apache.kafka:kafka_2.13 4.3.1 on Java 17 and kafka-python 2.3.0.
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
python/bin/pip install --quiet kafka-python==2.3.0
port=$((20000 + RANDOM % 10000))
cat >server.properties <<CONFIG
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
log.dirs=$folder/logs
offsets.topic.replication.factor=1
CONFIG
java -cp 'jars/*' kafka.tools.StorageTool format --standalone -t "$(java -cp 'jars/*' kafka.tools.StorageTool random-uuid 2>/dev/null)" -c server.properties >format.log 2>&1
java -Xmx512m -cp 'jars/*' kafka.Kafka server.properties >broker.log 2>&1 &
broker=$!
cat >alter.py <<'PYTHON'
import sys, time
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

for attempt in range(60):
    try:
        admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{sys.argv[1]}")
        break
    except KafkaError:
        time.sleep(1)

def alter(what, name, configs):
    try:
        answer = admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, name, configs=configs)])
        print(what, "->", answer)
    except KafkaError as error:
        print(what, "->", error)

retention = {"log.retention.ms": "86400000"}
alter("default broker, only log.retention.ms", "", retention)
alter("default broker, with min.insync.replicas", "", {**retention, "min.insync.replicas": "1"})
alter("broker 1, only log.retention.ms", "1", retention)
PYTHON
python/bin/python alter.py "$port" | tee output
grep -q '^default broker, only log.retention.ms -> .*error_code=40, .*cannot be removed while ELR is enabled' output
grep -q '^default broker, with min.insync.replicas -> .*error_code=0,' output
grep -q '^broker 1, only log.retention.ms -> .*error_code=0,' output
echo 'seen: kafka_2.13 4.3.1, kafka-python 2.3.0'
