// franz-go with its admin package kadm as the tests drive them.
package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	. "lks.test/clients/command"
)

func main() {
	Run(map[string]func(Options){
		"version": Version("github.com/twmb/franz-go"), "produce": produce, "consume": consume, "group": group, "loop": loop, "admin": admin,
	})
}

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func connected(options Options, more ...kgo.Opt) *kgo.Client {
	common := []kgo.Opt{kgo.SeedBrokers(strings.Split(options.Bootstrap, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond })}
	return Must(kgo.NewClient(append(common, more...)...))
}

func produce(options Options) {
	opts := []kgo.Opt{kgo.ProducerBatchCompression(codecs[options.Codec]), kgo.ProducerLinger(5 * time.Millisecond)}
	if !options.Idempotent {
		opts = append(opts, kgo.DisableIdempotentWrite())
	}
	client := connected(options, opts...)
	for number := 0; number < options.Count; number++ {
		sample := SampleOf(number)
		client.Produce(context.Background(), &kgo.Record{
			Topic: options.Topic, Partition: int32(sample.Partition), Key: []byte(sample.Key), Value: []byte(sample.Value),
			Headers: []kgo.RecordHeader{{Key: "h", Value: []byte(sample.Header)}},
		}, report)
	}
	Check(client.Flush(context.Background()))
	client.Close()
}

func report(record *kgo.Record, err error) {
	Check(err)
	Emit(Record{Partition: record.Partition, Offset: record.Offset, Value: string(record.Value)})
}

func consume(options Options) {
	client := connected(options, kgo.ConsumeTopics(options.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for count := 0; count < options.Count; {
		fetches := client.PollFetches(context.Background())
		Check(fetches.Err())
		fetches.EachRecord(func(record *kgo.Record) {
			count++
			emit(record)
		})
	}
	client.Close()
}

func emit(record *kgo.Record) {
	header := ""
	for _, each := range record.Headers {
		header = string(each.Value)
	}
	Emit(Record{Partition: record.Partition, Offset: record.Offset, Key: string(record.Key), Value: string(record.Value), Header: header})
}

func group(options Options) {
	client := connected(options, kgo.ConsumerGroup(options.Group), kgo.ConsumeTopics(options.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitInterval(100*time.Millisecond), kgo.HeartbeatInterval(500*time.Millisecond), kgo.Rack(options.Rack))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-InputEnded()
		cancel()
	}()
	for {
		fetches := client.PollFetches(ctx)
		if errors.Is(fetches.Err0(), context.Canceled) {
			break
		}
		fetches.EachRecord(emit)
	}
	Check(client.CommitUncommittedOffsets(context.Background()))
	client.Close()
}

func loop(options Options) {
	client := connected(options, kgo.ProducerLinger(2*time.Millisecond), kgo.MaxBufferedRecords(200), kgo.ProducerBatchMaxBytes(1000))
	ended := InputEnded()
	for number := 0; ; number++ {
		select {
		case <-ended:
			Check(client.Flush(context.Background()))
			client.Close()
			return
		default:
		}
		client.Produce(context.Background(), &kgo.Record{Topic: options.Topic, Partition: int32(number % 3), Value: []byte(fmt.Sprintf("record %d", number))}, report)
	}
}

func admin(options Options) {
	ctx := context.Background()
	admin := kadm.NewClient(connected(options))
	limit := "123456"
	// By a client of its own, for kadm answers from metadata that its client has seen before.
	partitions := func() int {
		fresh := kadm.NewClient(connected(options))
		defer fresh.Close()
		return len(Must(fresh.ListTopics(ctx))[options.Topic].Partitions)
	}
	groupFound := func() bool {
		_, there := Must(admin.ListGroups(ctx))[options.Group]
		return there
	}
	Check(Must(admin.CreateTopic(ctx, 3, 1, map[string]*string{"max.message.bytes": &limit}, options.Topic)).Err)
	Emit(Fields{"step": "create"})
	Emit(Fields{"step": "list", "found": Must(admin.ListTopics(ctx)).Has(options.Topic)})
	Check(Must(admin.UpdatePartitions(ctx, 4, options.Topic)).Error())
	Emit(Fields{"step": "grow", "partitions": partitions()})
	describe := func(step string) {
		for _, config := range Must(Must(admin.DescribeTopicConfigs(ctx, options.Topic)).On(options.Topic, nil)).Configs {
			if config.Key == "max.message.bytes" {
				Emit(Fields{"step": step, "value": config.MaybeValue()})
			}
		}
	}
	describe("configs")
	larger := "234567"
	changes := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &larger}}
	for _, changed := range Must(admin.AlterTopicConfigs(ctx, changes, options.Topic)) {
		Check(changed.Err)
	}
	describe("change configs")
	Emit(Fields{"step": "cluster", "nodes": len(Must(admin.BrokerMetadata(ctx)).Brokers)})
	Emit(Fields{"step": "groups", "found": groupFound()})
	Emit(Fields{"step": "group", "state": strings.ToUpper(Must(admin.DescribeGroups(ctx, options.Group))[options.Group].State)})
	offsets := [][2]int64{}
	for partition, offset := range Must(admin.FetchOffsets(ctx, options.Group))[options.Read] {
		offsets = append(offsets, [2]int64{int64(partition), offset.At})
	}
	sort.Slice(offsets, func(one, other int) bool { return offsets[one][0] < offsets[other][0] })
	Emit(Fields{"step": "committed", "offsets": offsets})
	Emit(Fields{"step": "end", "offset": Must(admin.ListEndOffsets(ctx, options.Read))[options.Read][0].Offset})
	var first kadm.Offsets
	first.AddOffset(options.Read, 0, 1, -1)
	Check(Must(admin.DeleteRecords(ctx, first)).Error())
	Emit(Fields{"step": "delete records", "start": Must(admin.ListStartOffsets(ctx, options.Read))[options.Read][0].Offset})
	Check(admin.CommitAllOffsets(ctx, options.Group, first))
	Emit(Fields{"step": "altered", "offset": Must(admin.FetchOffsets(ctx, options.Group))[options.Read][0].At})
	Check(Must(admin.DeleteGroup(ctx, options.Group)).Err)
	Emit(Fields{"step": "delete group", "found": groupFound()})
	Check(Must(admin.DeleteTopic(ctx, options.Topic)).Err)
	Emit(Fields{"step": "delete", "found": partitions() != 0})
	admin.Close()
}
