#!/bin/sh
# Creates a topic, writes two records and reads them, with curl only. It uses `lks dev`, or the server that `lks exec` names in the environment.
set -eu

control=${LKS_URL:-http://localhost:8000}
data=${LKS_DATA_URL:-http://localhost:8123}

curl -fsS -X POST "$control/topics" -d '{"name":"quickstart","partitions":1}'
curl -fsS -X POST "$data/topics/quickstart/produce/0" -d 'order-1:coffee'
curl -fsS -X POST "$data/topics/quickstart/produce/0" -d 'order-2:tea'
curl -fsS "$data/topics/quickstart/messages/0?offset=0"
curl -fsS -X DELETE "$control/topics/quickstart"
