// Sarama as the tests drive it. With --speaks it is configured for an older version of Kafka; it also compiles with old versions of Sarama (../old-sarama.mod).
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	. "lks.test/clients/command"
)

func main() {
	Run(map[string]func(Options){
		"version": Version("github.com/IBM/sarama"), "produce": produce, "consume": consume, "group": group, "loop": loop, "admin": admin,
		"times": times,
	})
}

func configured(options Options) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	if options.Speaks != "" {
		config.Version = Must(sarama.ParseKafkaVersion(options.Speaks))
	}
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Retry.Max = 300
	config.Producer.Retry.Backoff = 100 * time.Millisecond
	config.Metadata.Retry.Max = 300
	config.Metadata.Retry.Backoff = 100 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	return config
}

func idempotent(config *sarama.Config) {
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
}

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func produce(options Options) {
	config := configured(options)
	config.Producer.Compression = codecs[options.Codec]
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	if options.Idempotent {
		idempotent(config)
	}
	producer := Must(sarama.NewAsyncProducer([]string{options.Bootstrap}, config))
	go func() {
		for number := 0; number < options.Count; number++ {
			sample := SampleOf(number)
			message := &sarama.ProducerMessage{
				Topic: options.Topic, Partition: int32(sample.Partition), Key: sarama.StringEncoder(sample.Key), Value: sarama.StringEncoder(sample.Value),
			}
			if config.Version.IsAtLeast(sarama.V0_11_0_0) {
				message.Headers = []sarama.RecordHeader{{Key: []byte("h"), Value: []byte(sample.Header)}}
			}
			producer.Input() <- message
		}
		producer.AsyncClose()
	}()
	report(producer)
}

// times sends records a second apart in one batch, and prints the offset that it finds for the time of each.
func times(options Options) {
	config := configured(options)
	config.Producer.Compression = codecs[options.Codec]
	config.Producer.Flush.Messages = options.Count
	producer := Must(sarama.NewSyncProducer([]string{options.Bootstrap}, config))
	messages := []*sarama.ProducerMessage{}
	first := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	at := func(number int) time.Time { return first.Add(time.Duration(number) * time.Second) }
	for number := 0; number < options.Count; number++ {
		messages = append(messages, &sarama.ProducerMessage{Topic: options.Topic, Value: sarama.StringEncoder(SampleOf(number).Value), Timestamp: at(number)})
	}
	Check(producer.SendMessages(messages))
	Check(producer.Close())
	client := Must(sarama.NewClient([]string{options.Bootstrap}, config))
	for number, message := range messages {
		Emit(Fields{"offset": message.Offset, "found": Must(client.GetOffset(options.Topic, 0, at(number).UnixMilli()))})
	}
}

// report prints what was acknowledged until the producer has closed.
func report(producer sarama.AsyncProducer) {
	go func() {
		for failure := range producer.Errors() {
			panic(failure)
		}
	}()
	for message := range producer.Successes() {
		Emit(Record{Partition: message.Partition, Offset: message.Offset, Value: string(Must(message.Value.Encode()))})
	}
}

func consume(options Options) {
	consumer := Must(sarama.NewConsumer([]string{options.Bootstrap}, configured(options)))
	messages := make(chan *sarama.ConsumerMessage)
	for _, partition := range Must(consumer.Partitions(options.Topic)) {
		reader := Must(consumer.ConsumePartition(options.Topic, partition, sarama.OffsetOldest))
		go func() {
			for message := range reader.Messages() {
				messages <- message
			}
		}()
	}
	for count := 0; count < options.Count; count++ {
		emit(<-messages)
	}
}

func emit(message *sarama.ConsumerMessage) {
	header := ""
	for _, each := range message.Headers {
		header = string(each.Value)
	}
	Emit(Record{Partition: message.Partition, Offset: message.Offset, Key: string(message.Key), Value: string(message.Value), Header: header})
}

type member struct{}

func (member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (member) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		emit(message)
		session.MarkMessage(message, "")
	}
	return nil
}

func group(options Options) {
	group := Must(sarama.NewConsumerGroup([]string{options.Bootstrap}, options.Group, configured(options)))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-InputEnded()
		cancel()
	}()
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{options.Topic}, member{}); err != nil && !errors.Is(err, context.Canceled) {
			panic(err)
		}
	}
	Check(group.Close())
}

func loop(options Options) {
	config := configured(options)
	idempotent(config)
	config.Producer.Flush.Frequency = 2 * time.Millisecond
	config.Producer.Flush.MaxMessages = 10
	config.ChannelBufferSize = 64
	producer := Must(sarama.NewAsyncProducer([]string{options.Bootstrap}, config))
	ended := InputEnded()
	go func() {
		for number := 0; ; number++ {
			message := &sarama.ProducerMessage{Topic: options.Topic, Partition: int32(number % 3), Value: sarama.StringEncoder(fmt.Sprintf("record %d", number))}
			select {
			case producer.Input() <- message:
			case <-ended:
				producer.AsyncClose()
				return
			}
		}
	}()
	report(producer)
}

func admin(options Options) {
	config := configured(options)
	client := Must(sarama.NewClient([]string{options.Bootstrap}, config))
	admin := Must(sarama.NewClusterAdminFromClient(client))
	// Before 1.1 Sarama describes configs in version 0, which Kafka 4 has no more; its ListTopics does so, too.
	configs := config.Version.IsAtLeast(sarama.V1_1_0_0)
	limit := "123456"
	found := func() bool {
		if !configs {
			Check(client.RefreshMetadata())
			return slices.Contains(Must(client.Topics()), options.Topic)
		}
		topics := Must(admin.ListTopics())
		_, there := topics[options.Topic]
		return there
	}
	groupFound := func() bool {
		groups := Must(admin.ListConsumerGroups())
		_, there := groups[options.Group]
		return there
	}
	Check(admin.CreateTopic(options.Topic, &sarama.TopicDetail{
		NumPartitions: 3, ReplicationFactor: 1, ConfigEntries: map[string]*string{"max.message.bytes": &limit},
	}, false))
	Emit(Fields{"step": "create"})
	Emit(Fields{"step": "list", "found": found()})
	if config.Version.IsAtLeast(sarama.V1_0_0_0) {
		Check(admin.CreatePartitions(options.Topic, 4, nil, false))
		Emit(Fields{"step": "grow", "partitions": len(Must(admin.DescribeTopics([]string{options.Topic}))[0].Partitions)})
	}
	if configs {
		describe := func(step string) {
			resource := sarama.ConfigResource{Type: sarama.TopicResource, Name: options.Topic, ConfigNames: []string{"max.message.bytes"}}
			for _, entry := range Must(admin.DescribeConfig(resource)) {
				Emit(Fields{"step": step, "value": entry.Value})
			}
		}
		describe("configs")
		larger := "234567"
		Check(admin.IncrementalAlterConfig(sarama.TopicResource, options.Topic, map[string]sarama.IncrementalAlterConfigsEntry{
			"max.message.bytes": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &larger},
		}, false))
		describe("change configs")
	}
	brokers, _, err := admin.DescribeCluster()
	Check(err)
	Emit(Fields{"step": "cluster", "nodes": len(brokers)})
	Emit(Fields{"step": "groups", "found": groupFound()})
	Emit(Fields{"step": "group", "state": strings.ToUpper(Must(admin.DescribeConsumerGroups([]string{options.Group}))[0].State)})
	// Before 0.10.2 there was no way to ask for all.
	committed := Must(admin.ListConsumerGroupOffsets(options.Group, map[string][]int32{options.Read: {0, 1}}))
	offsets := [][2]int64{}
	for partition, block := range committed.Blocks[options.Read] {
		offsets = append(offsets, [2]int64{int64(partition), block.Offset})
	}
	sort.Slice(offsets, func(one, other int) bool { return offsets[one][0] < offsets[other][0] })
	Emit(Fields{"step": "committed", "offsets": offsets})
	Emit(Fields{"step": "end", "offset": Must(client.GetOffset(options.Read, 0, sarama.OffsetNewest))})
	Check(admin.DeleteRecords(options.Read, map[int32]int64{0: 1}))
	Emit(Fields{"step": "delete records", "start": Must(client.GetOffset(options.Read, 0, sarama.OffsetOldest))})
	Emit(Fields{"step": "altered", "offset": altered(client, options)})
	if config.Version.IsAtLeast(sarama.V1_1_0_0) {
		Check(admin.DeleteConsumerGroup(options.Group))
		Emit(Fields{"step": "delete group", "found": groupFound()})
	}
	Check(admin.DeleteTopic(options.Topic))
	Emit(Fields{"step": "delete", "found": found()})
}

// altered commits offset 1 of partition 0 for the group from outside, and returns what the group has then.
func altered(client sarama.Client, options Options) int64 {
	offsets := Must(sarama.NewOffsetManagerFromClient(options.Group, client))
	partition := Must(offsets.ManagePartition(options.Read, 0))
	var failed error
	var once sync.WaitGroup
	once.Add(1)
	go func() {
		defer once.Done()
		for failure := range partition.Errors() {
			failed = failure
		}
	}()
	partition.ResetOffset(1, "")
	offsets.Commit()
	partition.AsyncClose()
	Check(offsets.Close())
	once.Wait()
	Check(failed)
	again := Must(sarama.NewOffsetManagerFromClient(options.Group, client))
	offset, _ := Must(again.ManagePartition(options.Read, 0)).NextOffset()
	return offset
}
