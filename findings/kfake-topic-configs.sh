#!/usr/bin/env bash
# kfake (franz-go's fake cluster for tests): a compacted topic acknowledges a record without a key, and its compaction then removes it; LogAppendTime is only shown.
#
# kfake compacts topics, with delete.retention.ms and an untouched last batch, so tests of compacted topics run on it. A broker refuses a record without a key in
# such a topic with INVALID_RECORD. kfake acknowledges it, serves it, and drops it without a word at the next compaction. So a producer that forgot its keys passes
# a test that reads at once, and loses every record in one that compacts first.
# A tombstone goes at the first compaction if its own timestamp is older than delete.retention.ms. A broker counts from the first compaction that saw it (KIP-534):
# there, a consumer of a topic that was copied with its old timestamps still sees the deletion.
# message.timestamp.type=LogAppendTime is kept and described, but has no effect: kfake stamps a batch only if the batch itself says LogAppendTime, which only brokers
# may write. Records keep the producer's time, and a search by time finds it.
# Seen with kfake of 2026-09-18 and franz-go 1.22.3. Apache Kafka 4.3.1, asked by the same client, refused the record without a key and answered the broker's time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >go.mod <<'MOD'
module findings

go 1.25

require (
	github.com/twmb/franz-go v1.22.3
	github.com/twmb/franz-go/pkg/kadm v1.20.0
	github.com/twmb/franz-go/pkg/kfake v0.0.0-20260918054303-01f206a7e32c
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	cluster := must(kfake.NewCluster(kfake.NumBrokers(1)))
	defer cluster.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := must(kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...)))
	defer client.Close()
	admin := kadm.NewClient(client)

	compact, appendTime := "compact", "LogAppendTime"
	must(admin.CreateTopic(ctx, 1, 1, map[string]*string{"cleanup.policy": &compact}, "prices"))
	must(admin.CreateTopic(ctx, 1, 1, map[string]*string{"message.timestamp.type": &appendTime}, "orders"))
	hourAgo, monthAgo := time.Now().Add(-time.Hour), time.Now().Add(-30*24*time.Hour)

	// Each in a batch of its own: compaction leaves the last batch alone.
	for _, record := range []*kgo.Record{
		{Topic: "prices", Value: []byte("no key")},
		{Topic: "prices", Key: []byte("pear"), Value: []byte("3")},
		{Topic: "prices", Key: []byte("plum"), Timestamp: monthAgo},
		{Topic: "prices", Key: []byte("last"), Value: []byte("1")},
	} {
		fmt.Printf("prices: produced key %q, error %v\n", record.Key, client.ProduceSync(ctx, record).FirstErr())
	}
	fmt.Println("prices before:", keys(ctx, cluster, 4))
	cluster.Compact()
	fmt.Println("prices after:", keys(ctx, cluster, 2))

	client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Key: []byte("a"), Value: []byte("1"), Timestamp: hourAgo})
	configs := must(admin.DescribeTopicConfigs(ctx, "orders"))
	for _, config := range configs[0].Configs {
		if config.Key == "message.timestamp.type" {
			fmt.Println("orders:", config.Key, "=", config.MaybeValue())
		}
	}
	record := read(ctx, cluster, "orders", 1)[0]
	fmt.Println("orders: the producer's time:", record.Timestamp.UnixMilli() == hourAgo.UnixMilli(), "type", record.Attrs.TimestampType())
}

func keys(ctx context.Context, cluster *kfake.Cluster, count int) []string {
	var all []string
	for _, record := range read(ctx, cluster, "prices", count) {
		all = append(all, string(record.Key))
	}
	return all
}

func read(ctx context.Context, cluster *kfake.Cluster, topic string, count int) []*kgo.Record {
	start := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}
	client := must(kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumePartitions(start)))
	defer client.Close()
	var all []*kgo.Record
	for len(all) < count {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			panic(fmt.Sprintf("%d of %d records of %s", len(all), count, topic))
		}
		all = append(all, fetches.Records()...)
	}
	return all
}
GO
go mod tidy >tidy.out 2>&1 || { cat tidy.out; exit 1; }
go run . | tee out
diff out - <<'OUT'
prices: produced key "", error <nil>
prices: produced key "pear", error <nil>
prices: produced key "plum", error <nil>
prices: produced key "last", error <nil>
prices before: [ pear plum last]
prices after: [pear last]
orders: message.timestamp.type = LogAppendTime
orders: the producer's time: true type 0
OUT
echo "kfake removes a record without a key that it acknowledged, drops an old tombstone at once, and leaves times alone"
